"""Methods by box protocols for one model: what ``./scripts/matrix`` measures, chooses, prints and draws."""
