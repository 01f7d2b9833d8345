// Stepping through a session in the browser. Python gives the session and the step; everything else is fetched.

import { card, record, waiting, why } from "./card.js"
import { el, number } from "./dom.js"
import { DECISION, Filter, FINDING, SHOWS } from "./filter.js"
import { Keys } from "./keys.js"
import { kindOf, near } from "./near.js"
import { Ribbon } from "./ribbon.js"
import { Store } from "./store.js"
import { Trail } from "./trail.js"

const URL_MS = 150, TEN = 10, ROWS = 15, VISITED_MS = 1200
const VIEWS = ["timeline", "compact", "raw"]
const SPEEDS = [0.5, 1, 2, 4, 8]
const instances = new WeakMap()

export default function mount(component) {
  const { data, parentElement } = component
  let here = instances.get(parentElement)
  if (here && (here.data.session !== data.session || here.data.generation !== data.generation)) {
    here.close()
    here = null
  }
  if (here) here.again(component)
  else instances.set(parentElement, (here = new Stepper(component)))
  return () => {
    here.close()
    instances.delete(parentElement)
  }
}

class Stepper {
  constructor(component) {
    this.component = component
    this.data = component.data
    const asked = new URLSearchParams(location.search)
    this.store = new Store(this.data, () => this.arrived(), (text) => this.say(text))
    this.filter = new Filter(this.store)
    this.filter.show = SHOWS.some(([name]) => name === asked.get("show")) ? asked.get("show") : "all"
    this.filter.agent = asked.get("agent") ?? ""
    this.view = VIEWS.includes(asked.get("view")) ? asked.get("view") : "timeline"
    this.filter.compact = this.view === "compact"
    this.ribbon = new Ribbon(this.store, this.filter, (step, jump) => this.go(step, jump))
    this.trail = new Trail(this.data.session, (step) => this.go(step, true), (step, note) => this.keep(step, note))
    this.trail.kept = this.data.kept
    this.ribbon.bookmarks = this.trail.bookmarks
    this.keys = new Keys((action) => this[action]())
    this.back = () => this.fromUrl()
    window.addEventListener("popstate", this.back)
    this.build()
    this.go(this.data.step, false)
    this.store.open(this.data.step)
    const find = asked.get("find")
    if (find) {
      this.findBox.value = find
      this.search()
    }
  }

  close() {
    this.stop()
    this.store.closed = true
    clearTimeout(this.urlTimer)
    clearTimeout(this.visitTimer)
    window.removeEventListener("popstate", this.back)
    this.keys.close()
    this.ribbon.close()
    this.node.remove()
  }

  // The script ran again: it may have kept a moment, or moved to an event. A step in the URL is this component's own.
  again(component) {
    const event = new URLSearchParams(location.search).get("event")
    this.component = component
    this.data = this.store.data = component.data
    this.trail.kept = this.data.kept
    this.trail.draw()
    if (event !== null && event === this.data.event) this.go(this.data.step)
  }

  build() {
    const button = (label, title, action) => el("button", { type: "button", title, on: { click: () => this[action]() } }, label)
    this.title = el("h2", { "aria-live": "polite" })
    this.trouble = el("div", { class: "trouble", role: "status" })
    this.playButton = button("▶ Play", "Space", "play")
    this.speed = el("select", { "aria-label": "Steps a second", on: { change: () => this.playing && (this.stop(), this.play()) } },
      SPEEDS.map((speed) => el("option", { value: speed, selected: speed === 2 }, `${speed}/s`)))
    this.jump = el("input", { type: "number", min: 1, max: this.data.last, "aria-label": "Go to step", placeholder: "Go to" })
    this.jump.addEventListener("keydown", (event) => { if (event.key === "Enter") this.jumped() })
    this.showBox = el("select", { "aria-label": "Show", on: { change: () => this.filtered() } },
      SHOWS.map(([name, said]) => el("option", { value: name, selected: name === this.filter.show }, said)))
    this.agentBox = el("select", { "aria-label": "Agent", on: { change: () => this.filtered() } }, el("option", { value: "" }, "all agents"))
    this.findBox = el("input", { type: "search", "aria-label": "Find text", placeholder: "Find text", maxlength: 200 })
    this.findBox.addEventListener("change", () => this.search())
    this.findBox.addEventListener("keydown", (event) => { if (event.key === "Escape") this.findBox.blur() })
    this.views = VIEWS.map((name) => el("button", { type: "button", on: { click: () => this.look(name) } }, name))
    this.hides = el("span", { class: "quiet", role: "status" })
    this.nearList = el("ol", { class: "near", "aria-label": "Steps around this one" })
    this.cardNode = el("article", { class: "card", "aria-label": "This step" })
    this.whyNode = el("div", {})
    this.helpNode = el("section", { class: "help", hidden: true, "aria-label": "Help" }, this.keys.help())
    const { place, of } = this.data.cases
    const queue = place ? `case ${number(place)} of ${number(of)}` : ""
    this.node = el(
      "div", { class: "stepper" },
      el("div", { class: "bar" },
        el("div", { class: "where" }, this.title, el("div", { class: "quiet" }, `session ${this.data.shown}`, queue ? `  ·  ${queue}` : "")),
        el("div", { class: "buttons", role: "group", "aria-label": "Move" },
          button("◀ ◆ Finding", "Previous finding (p)", "findingBefore"), button("← Previous", "Left arrow", "previous"),
          button("Next →", "Right arrow", "next"), button("Finding ◆ ▶", "Next finding (n)", "finding"),
          button("Decision ✓ ▶", "Next decision (a)", "decision"), this.playButton, this.speed, this.jump, button("?", "Keys", "help"))),
      this.trouble, this.helpNode,
      el("div", { class: "bar filters" }, el("div", { class: "views", role: "group", "aria-label": "View" }, this.views),
        this.showBox, this.agentBox, this.findBox, this.hides),
      this.ribbon.node,
      el("div", { class: "panes" }, this.nearList, this.cardNode, el("aside", { class: "why" }, this.whyNode, this.trail.node))
    )
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
    if (jump && this.urlTimer) this.flush()
    this.step = next
    this.store.around(next)
    this.trail.at(next)
    this.ribbon.go(next)
    this.draw()
    if (jump && from && from !== next) {
      this.written = this.url()
      history.pushState(history.state, "", this.written)
      this.trail.visit(from)
    } else if (from) this.later()
    clearTimeout(this.visitTimer)
    this.visitTimer = setTimeout(() => this.trail.visit(next), VISITED_MS)
  }

  draw() {
    const { step, store } = this
    const told = store.step(step)
    this.title.textContent = `Step ${number(step)} of ${number(this.data.last)}`
    this.hides.textContent = `${this.view}: ${this.filter.said()}${this.filter.passes(step) ? "" : "; this step among them"}`
    near(this.nearList, store, this.filter, step, ROWS, this.trail.bookmarks, (to) => this.go(to, true))
    const drawn = `${step}/${this.view}/${Boolean(told)}`
    if (drawn === this.drawn) return
    this.drawn = drawn
    if (!told) {
      waiting(this.cardNode, step, kindOf(store, step))
      return
    }
    why(this.whyNode, told, store.state(step), () => this.flush())
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

  // The URL follows a little later, so that a held key does not write it at every step.
  later() {
    clearTimeout(this.urlTimer)
    this.urlTimer = setTimeout(() => this.flush(), URL_MS)
  }

  flush() {
    clearTimeout(this.urlTimer)
    this.urlTimer = null
    if (this.written === this.url()) return
    this.written = this.url()
    history.replaceState(history.state, "", this.written)
  }

  url() {
    const told = new URLSearchParams({ session: this.data.session, step: this.step })
    if (this.filter.show !== "all") told.set("show", this.filter.show)
    if (this.filter.agent) told.set("agent", this.filter.agent)
    if (this.filter.find) told.set("find", this.filter.find)
    if (this.view !== "timeline") told.set("view", this.view)
    return `${location.pathname}?${told}`
  }

  fromUrl() {
    const asked = new URLSearchParams(location.search)
    if (asked.get("session") !== this.data.session) return
    this.stop()
    clearTimeout(this.urlTimer)
    this.urlTimer = null
    this.written = this.url()
    const step = Number(asked.get("step"))
    if (step && step !== this.step) {
      this.go(step)
      clearTimeout(this.urlTimer)
      this.urlTimer = null
    }
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
    this.later()
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
    if (this.playing) return this.stop()
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
    const speed = calm ? Math.min(1, Number(this.speed.value)) : Number(this.speed.value)
    this.playButton.textContent = "⏸ Pause"
    this.playing = setInterval(() => this.move(1) || this.stop(), 1000 / speed)
  }

  stop() {
    clearInterval(this.playing)
    this.playing = null
    if (this.playButton) this.playButton.textContent = "▶ Play"
  }

  bookmark() {
    this.trail.bookmark(this.step)
    this.ribbon.draw()
    this.draw()
  }

  keep(step = this.step, note = "") {
    this.flush()
    this.component.setTriggerValue("keep", { session: this.data.session, step, note })
  }

  openStep(at) {
    if (!at) return this.say("There is no further case in this direction.")
    this.flush()
    this.component.setTriggerValue("open", { session: at.session_id, event: at.event_id })
  }
}
