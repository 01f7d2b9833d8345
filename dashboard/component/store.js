// The window of steps: an overview of all of them, and blocks of whole ones around the place where one stands.

import { bytes } from "./dom.js"

const KEPT_BLOCKS = 40
const KEPT_WHOLES = 4
const RETRY_MS = 1000

export class Store {
  constructor(data, arrived, failed) {
    this.data = data
    this.arrived = arrived
    this.failed = failed
    this.blocks = new Map()
    this.asked = new Map()
    this.wholes = new Map()
    this.wholesAsked = 0
    this.size = 100
    this.overview = null
    this.closed = false
    this.here = 0
  }

  async ask(what, parameters = {}) {
    const query = new URLSearchParams({ session: this.data.session, generation: this.data.generation, ...parameters })
    const answer = await fetch(`${this.data.from}/${what}?${query}`, { credentials: "same-origin" })
    const body = await answer.json()
    if (!answer.ok) {
      const error = new Error(body.trouble)
      error.final = answer.status < 500
      throw error
    }
    return body
  }

  async open(step) {
    this.around(step)
    for (;;) {
      try {
        const told = await this.ask("overview")
        for (const name of ["kind", "agent", "marks"]) told[name] = bytes(told[name])
        told.severity = new Map(told.findings)
        this.size = told.block
        this.overview = told
        if (!this.closed) this.arrived()
        return
      } catch (error) {
        if (!(await this.again(error))) return
      }
    }
  }

  async again(error) {
    if (this.closed) return false
    this.failed(error.final ? error.message : "The server does not answer. Trying again …")
    if (error.final) return false
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    return !this.closed
  }

  // An argument or result in full, once it was asked for: the card may be drawn anew before it is there, and after.
  whole(step, field) {
    return this.wholes.get(`${step} ${field}`)
  }

  async askWhole(step, field) {
    const whole = await this.ask("payload", { step, field })
    this.wholes.set(`${step} ${field}`, { text: whole.text })
    if (this.wholes.size > KEPT_WHOLES) this.wholes.delete(this.wholes.keys().next().value)
    this.wholesAsked++
    if (!this.closed) this.arrived()
  }

  blockOf(step) {
    return Math.floor((step - 1) / this.size)
  }

  step(step) {
    const block = this.blocks.get(this.blockOf(step))
    if (block) return block.steps[(step - 1) % this.size]
    return this.data.first.steps[0].step === step ? this.data.first.steps[0] : null
  }

  // Ask for the block that holds the step; its neighbours once it is there.
  around(step) {
    this.here = this.blockOf(step)
    if (this.blocks.has(this.here)) {
      this.want(this.here + 1)
      this.want(this.here - 1)
    } else this.want(this.here)
  }

  want(block) {
    if (block < 0 || block * this.size >= this.data.last || this.blocks.has(block) || this.asked.has(block)) return
    this.asked.set(block, this.fetch(block))
  }

  async fetch(block) {
    for (;;) {
      try {
        const told = await this.ask("block", { block })
        if (this.closed) return
        this.blocks.set(block, told)
        this.asked.delete(block)
        this.forget()
        this.arrived()
        if (block === this.here) this.around(block * this.size + 1)
        return
      } catch (error) {
        if (Math.abs(block - this.here) > 1 || !(await this.again(error))) {
          this.asked.delete(block)
          return
        }
      }
    }
  }

  forget() {
    while (this.blocks.size > KEPT_BLOCKS) {
      const farthest = [...this.blocks.keys()].reduce((far, block) =>
        Math.abs(block - this.here) > Math.abs(far - this.here) ? block : far
      )
      this.blocks.delete(farthest)
    }
  }

  // What the session has held and reached up to this step: the state before its block, and what was added since.
  state(step) {
    const block = this.blocks.get(this.blockOf(step)) ?? this.data.first
    const state = {}
    for (const [aspect, before] of Object.entries(block.before))
      state[aspect] = { count: before.count, latest: [...before.latest], added: 0 }
    for (const told of block.steps) {
      if (told.step > step) break
      for (const [aspect, value, how] of told.changes) {
        state[aspect].count++
        state[aspect].latest.push([value, how, told.step])
        if (told.step === step) state[aspect].added++
      }
    }
    return state
  }
}
