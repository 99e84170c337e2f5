"""The log pipeline of the settings: its module, and the ports of its sources."""
