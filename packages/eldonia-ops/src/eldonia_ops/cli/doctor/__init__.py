"""``eldonia-ops doctor``: facts of the machine and of the platform, judged.

Facts are gathered at the edge (``machine``, ``platform_facts``), judgements are pure (``judge_machine``,
``judge_platform``).
"""
