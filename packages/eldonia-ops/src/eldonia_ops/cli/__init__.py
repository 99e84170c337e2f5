"""The command line."""

import gc

# Python looks for cycles after every 700 new objects. To load the platform makes a million that stay. While it runs,
# alerts, series and groups are many small values without cycles: to walk through them again and again took a quarter of
# a storm's processor time, and a tenth of a start's.
gc.set_threshold(50_000, 20, 100)
