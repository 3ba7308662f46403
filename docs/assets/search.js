// Lets the theme's search understand an error message. By itself it takes quotes as "all of these words", a colon and a
// bracket as its own syntax, and looks only when a key is released. A text that the catalogue knows is looked up by the
// tags of its page instead; what the reader typed stays in the field. Every other query is left alone.
(() => {
  const QUERY = 2 // the type of the theme's message to its search worker
  const field = document.querySelector("[data-md-component=search-query]")
  if (!field) return
  let ready = false
  let pasted = { shown: null, text: null } // a field of one line drops the line ends of a traceback

  const written = () => (field.value === pasted.shown ? pasted.text : field.value)
  const searchAgain = () => {
    const value = field.value
    field.value = `${value} ` // the theme looks only at what changed
    field.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }))
    field.value = value
    field.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }))
  }

  function understood(query) {
    if (!ready || query.trim() !== field.value.trim()) return query
    const [match] = explain(written(), catalogue)
    return match ? match.error.split("-").map((word) => `tags:${word}`).join(" ") : query
  }

  const post = Worker.prototype.postMessage
  Worker.prototype.postMessage = function (message, ...rest) {
    const query = message?.type === QUERY && typeof message.data === "string"
    return post.call(this, query ? { ...message, data: understood(message.data) } : message, ...rest)
  }

  field.addEventListener("focus", () => explainLoaded().then(() => {
    ready = true
    if (field.value) searchAgain()
  }, () => {}), { once: true })

  field.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text")
    setTimeout(() => {
      pasted = { shown: field.value, text }
      searchAgain()
    })
  })
})()
