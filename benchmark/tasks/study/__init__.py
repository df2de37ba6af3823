"""The human studies of the paper's section 5: forms for people, and what their answers say.

No number here is of people unless people gave the answers; simulated ones are called so wherever
they are shown.
"""
