"""The Jupyter server extension: Tapis v3 over HTTP, in front of the engine."""
