"""``python -m eventstudy.cli``."""

from eventstudy.cli import main

raise SystemExit(main())
