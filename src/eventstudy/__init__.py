"""Event studies: dated events and prices in, abnormal returns and their tests out."""
