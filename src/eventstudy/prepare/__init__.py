"""From labels and dates to arrays: events, sessions, returns, panels."""
