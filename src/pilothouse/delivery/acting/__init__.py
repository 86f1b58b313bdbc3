"""Delivery acts: what comes from a forge is decided on, done there, and told, each thing once.

An event (`inbox`) with the pull request as it is now (`loading`) is decided on (`deciding`, by `chat`); what is to be
done is written down (`store`) before it is done (`applying`), so that a killed process ends it later and does nothing
twice. Jobs run on the merge of the change onto its base (`mirror`, `running`), the merge pool's trees are tested and
landed (`pooling`), and why something did not happen is answered from what was written down (`explaining`).
"""
