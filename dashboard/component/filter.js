// Which steps one walks over: by what they are, by agent, by text. What is hidden is always counted.

import { bytes, number } from "./dom.js"

export const FINDING = 1, FAILED = 2, DECISION = 4, PRIVILEGED = 8, CHANGING = 16, DOUBTFUL = 32
const MATTERS = FINDING | FAILED | DECISION | PRIVILEGED | DOUBTFUL

export const SHOWS = [
  ["all", "all steps", 0],
  ["matters", "what matters", MATTERS],
  ["findings", "findings", FINDING],
  ["approvals", "approvals", DECISION],
  ["privileged", "privileged calls", PRIVILEGED],
  ["changes", "what changed the state", CHANGING],
  ["failed", "errors and denials", FAILED],
]

export class Filter {
  constructor(store) {
    this.store = store
    this.show = "all"
    this.agent = ""
    this.find = ""
    this.compact = false
    this.hits = null
    this.pass = null
    this.shown = 0
  }

  async search(text) {
    this.find = text
    this.hits = null
    if (text) {
      const told = await this.store.ask("matching", { text })
      if (this.find !== text) return
      this.hits = bytes(told.matches)
    }
    this.apply()
  }

  apply() {
    const told = this.store.overview
    if (!told) return
    const marks = SHOWS.find(([name]) => name === this.show)?.[2] ?? 0
    const wanted = this.compact ? MATTERS : 0
    const agent = told.agents.indexOf(this.agent)
    const pass = new Uint8Array(told.last)
    this.shown = 0
    for (let place = 0; place < told.last; place++) {
      const mark = told.marks[place]
      const passes =
        (!marks || mark & marks) && (!wanted || mark & wanted) &&
        (agent < 0 || told.agent[place] === agent) && (!this.hits || this.hits[place])
      if (passes) {
        pass[place] = 1
        this.shown++
      }
    }
    this.pass = pass
  }

  passes(step) {
    return !this.pass || this.pass[step - 1] === 1
  }

  // The next step after this one, in either direction, that passes and has one of these marks; 0 where there is none.
  next(step, direction, marks = 0) {
    const told = this.store.overview
    for (let at = step + direction; at >= 1 && at <= this.store.data.last; at += direction)
      if (this.passes(at) && (!marks || (told && told.marks[at - 1] & marks))) return at
    return 0
  }

  // The steps that pass around this one, itself always among them.
  around(step, before, after) {
    const found = [step]
    for (let at = step; found.length <= before && (at = this.next(at, -1)); ) found.unshift(at)
    const here = found.length
    for (let at = step; found.length < here + after && (at = this.next(at, 1)); ) found.push(at)
    return found
  }

  said() {
    const last = this.store.data.last
    const hidden = this.pass ? last - this.shown : 0
    return hidden ? `${number(hidden)} of ${number(last)} steps are hidden` : "no step is hidden"
  }
}
