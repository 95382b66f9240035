"""How a host is reached: a handful of verbs per transport."""
