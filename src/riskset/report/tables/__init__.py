"""Tables laid out from result rows: one module a family of analyses; nothing here computes a number."""
