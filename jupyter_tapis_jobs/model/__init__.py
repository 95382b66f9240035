"""The field's words as pure data and pure rules; no I/O."""
