"""Runs of the live page that take long, and its pictures."""
