"""Sent with each job of ``tapis.call`` and ``tapis.map``, and run by the Python of its host."""
