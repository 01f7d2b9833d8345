// The moments that were visited, the bookmarks, and what was kept of them as evidence.

import { el, fill, number, remember, remembered } from "./dom.js"

const MOST = 12

export class Trail {
  constructor(session, go, keep) {
    this.key = `custodiet.bookmarks.${session}`
    this.bookmarks = new Set(remembered(this.key, []))
    this.visited = []
    this.go = go
    this.keep = keep
    this.kept = []
    this.note = el("input", { type: "text", class: "note", maxlength: 4000, placeholder: "Note (optional)", "aria-label": "Note to keep with this step" })
    this.note.addEventListener("keydown", (event) => { if (event.key === "Enter") this.keepHere() })
    this.button = el("button", { type: "button", on: { click: () => this.keepHere() } })
    this.lists = el("div", {})
    this.node = el(
      "section", { class: "trail" }, el("h3", {}, "Evidence and trail"),
      el("div", { class: "keeping" }, this.note, this.button), this.lists
    )
    this.at(1)
  }

  at(step) {
    this.step = step
    this.button.textContent = `Keep step ${number(step)}`
  }

  keepHere() {
    this.keep(this.step, this.note.value)
    this.note.value = ""
  }

  visit(step) {
    this.visited = [step, ...this.visited.filter((other) => other !== step)].slice(0, MOST)
    this.draw()
  }

  bookmark(step) {
    if (!this.bookmarks.delete(step)) this.bookmarks.add(step)
    remember(this.key, [...this.bookmarks].sort((one, other) => one - other))
    this.draw()
  }

  draw() {
    const link = (step) => el("button", { type: "button", class: "link", on: { click: () => this.go(step) } }, number(step))
    const named = (label, steps) => (steps.length ? el("div", { class: "line" }, el("span", { class: "quiet" }, `${label} `), steps.map(link)) : null)
    fill(
      this.lists,
      this.kept.map(([step, note]) => el("div", { class: "line" }, "✔ kept ", link(step), ` ${note}`)),
      named("⚑ bookmarks", [...this.bookmarks].sort((one, other) => one - other)),
      named("visited", this.visited)
    )
  }
}
