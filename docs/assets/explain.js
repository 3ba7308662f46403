// Names the error in a pasted text, in the reader's own browser: nothing leaves it. The same steps in the same order as
// `runbook explain` (runbooks/migration_runbooks/explain/engine.py tells why), over the same catalogue, which the build
// writes into catalogue.js. A test compares the two on every text it has.
const explain = (() => {
  const STRONG = 0.5
  const WRAPPED = 0.9
  const CONSEQUENCE = 0.6
  const NO_SIGN_OF_DJANGO = 0.8
  const EVIDENCE_LENGTH = 400

  const regex = (pattern, flags = "m") => new RegExp(pattern.replaceAll("(?P<", "(?<"), flags)
  const escaped = (words) => words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  const longest = (runs) => runs.reduce((best, run) => (run.length > best.length ? run : best), "")

  function clean(text, { rules, translations }) {
    for (const rule of rules.cleaning) text = text.replace(regex(rule.pattern, "gm"), rule.replace)
    return translate(text, translations)
  }

  function translate(text, translations) {
    for (const [english, foreign] of Object.entries(translations))
      for (const message of foreign)
        if (text.includes(longest(message.split(/\{\d\}|\n/)))) text = replaceMessage(text, message, english)
    return text
  }

  function replaceMessage(text, message, english) {
    const parts = message.split(/\{(\d)\}/)
    const words = (part) => part.split("\n").map(escaped).join("\\s+")
    const value = (following) => (following.startsWith('"') ? '([^"\n]*)' : following ? "([^\\n]+?)" : "(\\S+)")
    const pattern = parts.map((part, place) => (place % 2 ? value(parts[place + 1]) : words(part))).join("")
    const order = parts.filter((_, place) => place % 2)
    return text.replace(regex(pattern, "g"), (...found) =>
      english.replace(/\{(\d)\}/g, (_, number) => found[order.indexOf(number) + 1]))
  }

  // The words that a pattern can't do without.
  function literal(pattern) {
    const runs = [""]
    let depth = 0
    for (const token of pattern.match(/\\[^]|\[(?:\\[^]|[^\]\\])*\]|\{\d+,?\d*\}|[^]/g) ?? []) {
      depth += (token === "(") - (token === ")")
      if (token === "|" && depth === 0) return ""
      const repeats = token.startsWith("{")
      if ("*?".includes(token) || repeats) runs.push(runs.pop().slice(0, -1))
      const plain = !/^(?:\\[a-zA-Z\d]|\[[^]+\]|[.^$()*?+])$/.test(token)
      if (depth || repeats || !plain) runs.push("")
      else runs.push(runs.pop() + token.at(-1))
    }
    return longest(runs)
  }

  function* candidates(flat, text, errors, contexts) {
    for (const error of errors)
      for (const clue of error.clues)
        if (flat.includes(literal(clue.pattern)) && fits(clue, text, contexts)) yield [error, clue]
  }

  function fits(clue, text, contexts) {
    if (clue.needs && !regex(contexts[clue.needs]).test(text)) return false
    return !(clue.unless && regex(contexts[clue.unless]).test(text))
  }

  const inputsOf = (found) => Object.fromEntries(Object.entries(found.groups ?? {}).filter(([, value]) => value))

  function* inLines(text, errors, contexts) {
    const lines = text.split("\n")
    for (const [error, clue] of candidates(text, text, errors, contexts)) {
      const [words, pattern] = [literal(clue.pattern), regex(clue.pattern)]
      const line = lines.findIndex((each) => each.includes(words) && pattern.test(each))
      if (line >= 0)
        yield { error, weight: clue.weight, line, evidence: lines[line].trim().slice(0, EVIDENCE_LENGTH), inputs: inputsOf(pattern.exec(lines[line])) }
    }
  }

  function* acrossLines(text, errors, { rules, translations }) {
    const lines = text.split("\n")
    const width = Math.max(...lines.map((line) => line.length))
    const ways = [lines.map((line) => line.trim() + " "), lines.map((line) => line.padEnd(Math.min(line.length + 1, width)))]
    for (const glued of ways) {
      const flat = translate(glued.join(""), translations)
      for (const [error, clue] of candidates(flat, text, errors, rules.contexts)) {
        const found = regex(clue.pattern).exec(flat)
        if (found)
          yield { error, weight: clue.weight * WRAPPED, line: lineAt(found.index, glued), evidence: found[0].slice(0, EVIDENCE_LENGTH), inputs: inputsOf(found) }
      }
    }
  }

  function lineAt(position, lines) {
    const line = lines.findIndex((each) => (position -= each.length) < 0)
    return line < 0 ? lines.length - 1 : line
  }

  function explain(pasted, catalogue) {
    const { rules, errors } = catalogue
    const text = clean(pasted, catalogue)
    const signs = `${pasted}\n${text}`
    const django = regex(rules.django).test(signs)
    if (!django && regex(rules.foreign).test(signs)) return []
    const findings = [...inLines(text, errors, rules.contexts)]
    const strong = findings.filter((finding) => finding.weight >= STRONG)
    if (!strong.length) findings.push(...acrossLines(text, errors, catalogue))
    else if (!Object.keys(strong.reduce((best, each) => (each.weight > best.weight ? each : best)).inputs).length)
      findings.push(...acrossLines(text, [...new Set(strong.map((finding) => finding.error))], catalogue))
    return matches(findings, text.split("\n"), django ? 1 : NO_SIGN_OF_DJANGO, rules)
  }

  function matches(findings, lines, certainty, rules) {
    const groups = new Map()
    for (const finding of findings.sort((a, b) => b.weight - a.weight || a.line - b.line))
      groups.set(finding.error, [...(groups.get(finding.error) ?? []), finding])
    const ranked = [...groups.values()].sort((a, b) => compare(rank(a), rank(b)))
    const found = []
    ranked.forEach((group, place) => {
      let score = group[0].weight * certainty
      if (place && compare(rank(group).slice(0, 2), rank(ranked[0]).slice(0, 2)) > 0) score *= CONSEQUENCE
      found.push(match(group, lines, Math.min(score, ...found.map((each) => each.score)), rules))
    })
    return found
  }

  // Notices last, then by their first line, then by the surest message on that line.
  function rank(group) {
    const strong = group.filter((finding) => finding.weight >= STRONG)
    const first = Math.min(...(strong.length ? strong : group).map((finding) => finding.line))
    return [group[0].weight < STRONG ? 1 : 0, first, -group[0].weight]
  }

  const compare = (a, b) => a.map((value, place) => value - b[place]).find((difference) => difference) ?? 0

  function match(group, lines, score, rules) {
    let inputs = {}
    for (const finding of group)
      for (const [name, value] of Object.entries(finding.inputs))
        if (!(name in inputs) || (inputs[name].includes(" ") && !value.includes(" "))) inputs[name] = value
    if (!("APP" in inputs || "MIGRATION" in inputs)) inputs = { ...inputs, ...running(lines.slice(0, group[0].line + 1), rules) }
    const { slug, title, runbooks } = group[0].error
    return { error: slug, title, score: Math.round(score * 100) / 100, evidence: group[0].evidence, inputs, runbooks, url: `errors/${slug}/` }
  }

  function running(lines, rules) {
    const found = lines.map((line) => regex(rules.running).exec(line)).filter(Boolean).at(-1)
    return found ? inputsOf(found) : {}
  }

  return explain
})()
