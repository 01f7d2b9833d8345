// The whole session in one strip: findings and decisions above a lane for each agent, with the playhead over them.

import { el, number } from "./dom.js"
import { DECISION, FAILED, FINDING } from "./filter.js"

const MARKS_PIXELS = 16, LANE_PIXELS = 11, TIMES_PIXELS = 16, MOST_LANES = 6, SNAP_PIXELS = 5

export class Ribbon {
  constructor(store, filter, seek) {
    this.store = store
    this.filter = filter
    this.seek = seek
    this.step = 1
    this.bookmarks = new Set()
    this.picture = document.createElement("canvas")
    this.canvas = el("canvas", {
      class: "ribbon", role: "slider", tabindex: 0, "aria-label": "Place in the session", "aria-valuemin": 1,
      "aria-valuemax": store.data.last, "aria-orientation": "horizontal",
      on: { pointerdown: (event) => this.down(event), pointermove: (event) => this.move(event) },
    })
    this.node = el("div", { class: "strip" }, this.canvas)
    this.resized = new ResizeObserver(() => this.draw())
    this.resized.observe(this.node)
  }

  close() {
    this.resized.disconnect()
  }

  lanes() {
    return Math.min(this.store.overview?.agents.length ?? 1, MOST_LANES)
  }

  x(step) {
    const last = this.store.data.last
    return this.left + ((step - 0.5) / last) * (this.width - this.left)
  }

  at(x) {
    const last = this.store.data.last
    return Math.min(last, Math.max(1, Math.ceil(((x - this.left) / (this.width - this.left)) * last)))
  }

  down(event) {
    const box = this.canvas.getBoundingClientRect()
    const x = event.clientX - box.left
    let step = this.at(x)
    if (event.clientY - box.top <= MARKS_PIXELS && this.store.overview)
      for (const [flagged] of this.store.overview.findings)
        if (Math.abs(this.x(flagged) - x) <= Math.min(SNAP_PIXELS, Math.abs(this.x(step) - x) + SNAP_PIXELS)) step = flagged
    this.canvas.setPointerCapture(event.pointerId)
    this.seek(step, true)
  }

  move(event) {
    if (!(event.buttons & 1) || !this.canvas.hasPointerCapture(event.pointerId)) return
    const step = this.at(event.clientX - this.canvas.getBoundingClientRect().left)
    if (step !== this.step) this.seek(step, false)
  }

  // Everything but the playhead: drawn when the session, the filter or the width changes.
  draw() {
    const width = Math.floor(this.node.clientWidth)
    if (!width) return
    const lanes = this.lanes()
    this.width = width
    this.left = width > 640 ? 118 : 0
    this.height = MARKS_PIXELS + lanes * LANE_PIXELS + TIMES_PIXELS
    const scale = window.devicePixelRatio || 1
    for (const canvas of [this.canvas, this.picture]) {
      canvas.width = Math.round(width * scale)
      canvas.height = Math.round(this.height * scale)
    }
    this.canvas.style.height = `${this.height}px`
    const style = getComputedStyle(this.node)
    this.ink = { text: style.color, quiet: style.getPropertyValue("--quiet"), line: style.getPropertyValue("--line") }
    const context = this.picture.getContext("2d")
    context.setTransform(scale, 0, 0, scale, 0, 0)
    context.clearRect(0, 0, width, this.height)
    if (this.store.overview) {
      this.drawLanes(context, lanes)
      this.drawMarks(context)
      this.drawTimes(context)
    }
    this.drawHead()
  }

  drawLanes(context, lanes) {
    const told = this.store.overview
    const colours = this.store.data.lanes
    const columns = this.width - this.left
    const shown = new Float32Array(lanes * columns), hidden = new Float32Array(lanes * columns)
    const failed = new Uint8Array(lanes * columns)
    const each = columns / told.last
    for (let place = 0; place < told.last; place++) {
      const lane = Math.min(told.agent[place], lanes - 1)
      const first = Math.floor(place * each), end = Math.max(first + 1, Math.floor((place + 1) * each))
      const into = this.filter.passes(place + 1) ? shown : hidden
      for (let column = first; column < end; column++) {
        into[lane * columns + column]++
        if (told.marks[place] & FAILED) failed[lane * columns + column] = 1
      }
    }
    const most = Math.max(1, 1 / each)
    context.font = "11px sans-serif"
    for (let lane = 0; lane < lanes; lane++) {
      const top = MARKS_PIXELS + lane * LANE_PIXELS
      const colour = colours[Math.min(lane, colours.length - 1)]
      for (let column = 0; column < columns; column++) {
        const count = shown[lane * columns + column], faint = hidden[lane * columns + column]
        if (!count && !faint) continue
        context.globalAlpha = count ? 0.35 + 0.65 * Math.min(1, count / most) : 0.14
        context.fillStyle = colour
        context.fillRect(this.left + column, top + 1, each > 3 && (column + 1) % Math.round(each) === 0 ? 0.4 : 1, LANE_PIXELS - 2)
        if (failed[lane * columns + column] && count) {
          context.globalAlpha = 1
          context.fillStyle = this.store.data.severities.critical
          context.fillRect(this.left + column, top + LANE_PIXELS - 3, 1, 2)
        }
      }
      context.globalAlpha = 1
      if (this.left) {
        const name = lane === lanes - 1 && told.agents.length > lanes ? `${told.agents.length - lanes + 1} others` : told.agents[lane]
        context.fillStyle = this.ink.quiet
        context.fillText(shorter(context, name, this.left - 10), 0, top + LANE_PIXELS - 2)
      }
    }
  }

  drawMarks(context) {
    const told = this.store.overview
    if (this.left) {
      context.fillStyle = this.ink.quiet
      context.fillText("findings, decisions", 0, MARKS_PIXELS - 4)
    }
    context.strokeStyle = this.ink.quiet
    for (let place = 0; place < told.last; place++)
      if (told.marks[place] & DECISION && told.kind[place] === 4) {
        const x = Math.round(this.x(place + 1)) + 0.5
        context.beginPath()
        context.moveTo(x, MARKS_PIXELS - 5)
        context.lineTo(x, MARKS_PIXELS - 1)
        context.stroke()
      }
    for (const [step, severity] of told.findings) {
      const x = this.x(step), y = 6
      context.globalAlpha = this.filter.passes(step) ? 1 : 0.3
      context.fillStyle = this.store.data.severities[severity] ?? this.ink.text
      context.beginPath()
      context.moveTo(x, y - 5)
      context.lineTo(x + 4.5, y)
      context.lineTo(x, y + 5)
      context.lineTo(x - 4.5, y)
      context.fill()
    }
    context.globalAlpha = 1
    context.fillStyle = this.ink.text
    for (const step of this.bookmarks) context.fillRect(this.x(step) - 1, MARKS_PIXELS - 3, 2, this.height - MARKS_PIXELS - TIMES_PIXELS + 5)
  }

  drawTimes(context) {
    const told = this.store.overview
    context.fillStyle = this.ink.quiet
    context.font = "10px sans-serif"
    const room = (this.width - this.left) / Math.max(1, told.times.length)
    let end = -1
    for (const [step, at] of told.times) {
      const text = at.slice(11, 19) || "–"
      const wide = context.measureText(text).width
      const x = Math.min(this.width - wide, Math.max(this.left, this.x(step) - wide / 2))
      if (x < end + 12 || room < wide) continue
      context.fillText(text, x, this.height - 4)
      end = x + wide
    }
  }

  drawHead() {
    if (!this.width) return
    const context = this.canvas.getContext("2d")
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, this.canvas.width, this.canvas.height)
    context.drawImage(this.picture, 0, 0)
    const scale = window.devicePixelRatio || 1
    context.setTransform(scale, 0, 0, scale, 0, 0)
    const x = this.x(this.step)
    const bottom = this.height - TIMES_PIXELS + 2
    const wide = Math.max(2, (this.width - this.left) / this.store.data.last)
    context.strokeStyle = this.ink.text
    context.lineWidth = 1.5
    context.strokeRect(x - wide / 2 - 1, MARKS_PIXELS - 1, wide + 2, bottom - MARKS_PIXELS)
  }

  go(step) {
    this.step = step
    const told = this.store.overview
    const marks = told ? told.marks[step - 1] : 0
    this.canvas.setAttribute("aria-valuenow", step)
    this.canvas.setAttribute(
      "aria-valuetext",
      `step ${number(step)} of ${number(this.store.data.last)}${marks & FINDING ? ", finding" : ""}`
    )
    this.drawHead()
  }
}

function shorter(context, text, width) {
  if (context.measureText(text).width <= width) return text
  let end = text.length
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end--
  return `${text.slice(0, end)}…`
}
