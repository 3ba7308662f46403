"""Pages whose every block is run: one grammar of fences, used by the renderer, the tests and the check of the built site."""
