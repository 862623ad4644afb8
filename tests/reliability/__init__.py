"""Crashes and damage, by the hundred. Figures named `bad: ...` must be 0."""

Figures = dict[str, int]
