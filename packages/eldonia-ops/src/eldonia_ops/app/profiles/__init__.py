"""What a platform consists of: a profile makes the list of its modules.

The order of a list matters: modules are resumed from the first to the last, and changed and stopped from the last to
the first. Rules come before routing, so that alerts that fire get time to be found firing again before the router takes
the silence while we were down for their end.
"""
