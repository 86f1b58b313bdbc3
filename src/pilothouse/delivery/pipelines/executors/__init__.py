"""Where steps run: as plain processes, in a sandbox, in containers, or on Kubernetes, behind one interface.

An executor's `Launcher` turns a prepared step into a command of this machine (`launching.py`); what an image meant
there is said by `ImageMeaning` and kept in the status. Kubernetes runs whole TaskRuns (`kubernetes.py`).
"""
