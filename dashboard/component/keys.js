// The keyboard: single keys, only while nothing is being typed, and only where a person has not turned them off.

import { el, remember, remembered } from "./dom.js"

const SWITCH = "custodiet.single-keys"

export const KEYS = [
  ["←  →", "previous and next step that the filter shows", ["ArrowLeft", "previous"], ["ArrowRight", "next"]],
  ["Shift ←  →", "ten steps back and on"],
  ["Home  End", "first and last step", ["Home", "start"], ["End", "end"]],
  ["n  p", "next and previous finding", ["n", "finding"], ["p", "findingBefore"]],
  ["a  Shift a", "next and previous decision", ["a", "decision"], ["A", "decisionBefore"]],
  ["j  k", "worst step of the next and previous case", ["j", "caseAfter"], ["k", "caseBefore"]],
  ["Space", "play and pause", [" ", "play"]],
  ["b", "bookmark this step, or take it off", ["b", "bookmark"]],
  ["e", "keep this step as evidence", ["e", "keepThis"]],
  ["g", "go to a step by its number", ["g", "goTo"]],
  ["/", "find text in the session", ["/", "find"]],
  ["v", "compact, timeline, raw", ["v", "nextView"]],
  ["?", "this help", ["?", "help"]],
]

const ACTIONS = new Map(KEYS.flatMap(([, , ...keys]) => keys))
const PLAIN = new Set(["ArrowLeft", "ArrowRight", "Home", "End"])

export class Keys {
  constructor(act) {
    this.act = act
    this.single = remembered(SWITCH, true)
    this.listen = (event) => this.pressed(event)
    document.addEventListener("keydown", this.listen)
  }

  close() {
    document.removeEventListener("keydown", this.listen)
  }

  pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    const target = event.composedPath()[0]
    if (target instanceof Element) {
      if (target.closest("input, textarea, select, [contenteditable]") || target.closest("[data-testid=stDataFrame]")) return
      if (event.key === " " && target.closest("button, a, summary, [role=button]")) return
      if (PLAIN.has(event.key) && target.closest("pre, [role=tab], [role=radiogroup]")) return
    }
    let action = ACTIONS.get(event.key)
    if (event.shiftKey && event.key === "ArrowLeft") action = "tenBack"
    if (event.shiftKey && event.key === "ArrowRight") action = "tenOn"
    if (!action || (!this.single && !PLAIN.has(event.key))) return
    event.preventDefault()
    this.act(action)
  }

  help() {
    const box = el("input", {
      type: "checkbox", id: "single-keys",
      on: { change: (event) => { this.single = event.target.checked; remember(SWITCH, this.single) } },
    })
    box.checked = this.single
    return [
      el("h3", {}, "Keys"),
      el("dl", { class: "keys" }, KEYS.map(([keys, said]) => el("div", {}, el("dt", {}, keys), el("dd", {}, said)))),
      el("label", { for: "single-keys" }, box, " Single keys act (turn off where a screen reader or speech input needs them)"),
    ]
  }
}
