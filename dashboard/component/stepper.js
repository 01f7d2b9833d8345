// Stepping through a session in the browser. Python gives the session and the step; everything else is fetched.

import { card, record, waiting, why } from "./card.js"
import { controls, VIEWS } from "./controls.js"
import { el, number } from "./dom.js"
import { DECISION, Filter, FINDING, SHOWS } from "./filter.js"
import { turnTo } from "./going.js"
import { Keys } from "./keys.js"
import { kindOf, near } from "./near.js"
import { Place } from "./place.js"
import { Player } from "./player.js"
import { Ribbon } from "./ribbon.js"
import { Store } from "./store.js"
import { Trail } from "./trail.js"

const TEN = 10, ROWS = 15, VISITED_MS = 1200
const instances = new WeakMap()

export default function mount(component) {
  const { data: [data], parentElement } = component
  let here = instances.get(parentElement)
  if (here && (here.data.session !== data.session || here.data.generation !== data.generation)) {
    here.close()
    here = null
  }
  if (here) here.again(component, data)
  else instances.set(parentElement, (here = new Stepper(component, data)))
  return () => {
    here.close()
    instances.delete(parentElement)
  }
}

class Stepper {
  constructor(component, data) {
    this.component = component
    this.data = data
    const asked = new URLSearchParams(location.search)
    this.store = new Store(this.data, () => this.arrived(), (text) => this.say(text))
    this.filter = new Filter(this.store)
    this.filter.show = SHOWS.some(([name]) => name === asked.get("show")) ? asked.get("show") : "all"
    this.filter.agent = asked.get("agent") ?? ""
    this.filter.find = asked.get("find") ?? ""
    this.view = VIEWS.includes(asked.get("view")) ? asked.get("view") : "timeline"
    this.filter.compact = this.view === "compact"
    this.ribbon = new Ribbon(this.store, this.filter, (step, jump) => this.go(step, jump))
    this.trail = new Trail(this.data.session, (step) => this.go(step, true), (step, note) => this.keep(step, note))
    this.trail.kept = this.data.kept
    this.ribbon.bookmarks = this.trail.bookmarks
    this.keys = new Keys((action) => this[action]())
    this.player = new Player(() => this.move(1))
    this.place = new Place(this.data.session, () => this.told(), (step) => this.cameBack(step))
    this.build()
    this.go(this.data.step, false)
    this.place.write()
    this.store.open(this.data.step)
    if (this.filter.find) {
      this.findBox.value = this.filter.find
      this.search()
    }
  }

  close() {
    this.player.stop()
    this.place.close()
    this.store.closed = true
    clearTimeout(this.visitTimer)
    this.keys.close()
    this.ribbon.close()
    this.node.remove()
  }

  // The script ran again: it may have kept a moment, or the URL may name another place than a step of this component's.
  again(component, data) {
    const asked = new URLSearchParams(location.search)
    this.component = component
    this.data = this.store.data = data
    this.trail.kept = this.data.kept
    this.trail.draw()
    if (asked.get("session") === this.data.session && !asked.has("step")) this.go(this.data.step)
  }

  build() {
    this.node = controls(this)
    for (const [name, colour] of Object.entries({ ...this.data.severities, ...this.data.ink })) this.node.style.setProperty(`--${name}`, colour)
    this.component.parentElement.append(this.node)
    this.markView()
    this.trail.draw()
  }

  arrived() {
    const told = this.store.overview
    if (told && !this.opened) {
      this.opened = true
      for (const name of told.agents) this.agentBox.append(el("option", { value: name, selected: name === this.filter.agent }, name))
      this.filter.apply()
      this.ribbon.draw()
      this.ribbon.go(this.step)
      this.drawn = ""
    }
    this.say("")
    this.draw()
  }

  say(text) {
    this.trouble.textContent = text
  }

  go(step, jump = false) {
    const last = this.data.last
    const next = Math.min(last, Math.max(1, Math.trunc(step) || 1))
    const from = this.step
    if (jump) this.place.settle()
    this.step = next
    this.store.around(next)
    this.trail.at(next)
    this.ribbon.go(next)
    this.draw()
    if (jump && from && from !== next) {
      this.place.push()
      this.trail.visit(from)
    } else if (from) this.place.later()
    clearTimeout(this.visitTimer)
    this.visitTimer = setTimeout(() => this.trail.visit(next), VISITED_MS)
  }

  draw() {
    const { step, store } = this
    const told = store.step(step)
    this.title.textContent = `Step ${number(step)} of ${number(this.data.last)}`
    this.hides.textContent = `${this.view}: ${this.filter.said()}${this.filter.passes(step) ? "" : "; this step among them"}`
    near(this.nearList, store, this.filter, step, ROWS, this.trail.bookmarks, (to) => this.go(to, true))
    const drawn = `${step}/${this.view}/${Boolean(told)}/${store.wholesAsked}`
    if (drawn === this.drawn) return
    this.drawn = drawn
    if (!told) {
      waiting(this.cardNode, step, kindOf(store, step))
      return
    }
    why(this.whyNode, told, store.state(step), () => this.place.write())
    if (this.view === "raw") this.drawRecord(step)
    else card(this.cardNode, told, store)
  }

  async drawRecord(step) {
    try {
      const told = await this.store.ask("raw", { step })
      if (this.step === step && this.view === "raw") record(this.cardNode, step, told)
    } catch (error) {
      this.say(error.message)
    }
  }

  told() {
    const told = { step: this.step }
    if (this.filter.show !== "all") told.show = this.filter.show
    if (this.filter.agent) told.agent = this.filter.agent
    if (this.filter.find) told.find = this.filter.find
    if (this.view !== "timeline") told.view = this.view
    return told
  }

  cameBack(step) {
    this.player.stop()
    if (step && step !== this.step) this.go(step)
  }

  filtered() {
    this.filter.show = this.showBox.value
    this.filter.agent = this.agentBox.value
    this.refresh()
  }

  async search() {
    this.say(this.findBox.value ? "Searching …" : "")
    try {
      await this.filter.search(this.findBox.value.trim())
      this.say("")
      this.refresh()
    } catch (error) {
      this.say(error.message)
    }
  }

  look(view) {
    this.view = view
    this.filter.compact = view === "compact"
    this.markView()
    this.refresh()
  }

  markView() {
    for (const [place, name] of VIEWS.entries()) this.views[place].setAttribute("aria-pressed", name === this.view)
  }

  refresh() {
    this.filter.apply()
    this.ribbon.draw()
    this.draw()
    this.place.later()
  }

  move(direction, marks = 0, jump = false) {
    const to = this.filter.next(this.step, direction, marks)
    if (to) this.go(to, jump)
    return to
  }

  next() { this.move(1) }
  previous() { this.move(-1) }
  finding() { this.move(1, FINDING, true) }
  findingBefore() { this.move(-1, FINDING, true) }
  decision() { this.move(1, DECISION, true) }
  decisionBefore() { this.move(-1, DECISION, true) }
  tenOn() { for (let count = 0; count < TEN; count++) this.move(1) }
  tenBack() { for (let count = 0; count < TEN; count++) this.move(-1) }
  start() { this.go(this.filter.passes(1) ? 1 : this.filter.next(1, 1) || 1, true) }
  end() { this.go(this.filter.passes(this.data.last) ? this.data.last : this.filter.next(this.data.last, -1) || this.data.last, true) }
  find() { this.findBox.focus() }
  keepThis() { this.trail.keepHere() }
  goTo() { this.jump.focus() }
  nextView() { this.look(VIEWS[(VIEWS.indexOf(this.view) + 1) % VIEWS.length]) }
  help() { this.helpNode.hidden = !this.helpNode.hidden }
  caseAfter() { this.openStep(this.data.cases.after) }
  caseBefore() { this.openStep(this.data.cases.before) }

  jumped() {
    if (this.jump.value) this.go(Number(this.jump.value), true)
    this.jump.value = ""
    this.jump.blur()
  }

  play() {
    this.player.toggle(Number(this.speed.value), this.playButton)
  }

  bookmark() {
    this.trail.bookmark(this.step)
    this.ribbon.draw()
    this.draw()
  }

  keep(step = this.step, note = "") {
    this.place.write()
    this.component.setTriggerValue("keep", { session: this.data.session, step, note })
  }

  openStep(at) {
    if (!at) return this.say("There is no further case in this direction.")
    this.place.write()
    turnTo(at)
  }
}
