"""Types, protocols, errors and arithmetic that every other part uses; it imports none of them."""
