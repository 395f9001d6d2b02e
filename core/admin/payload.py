"""What somebody else sent, shown as text and nothing else."""

import json
from typing import Any

from core.admin.panels import Panel


def payload_panel(title: str, payload: Any) -> Panel:
    """Return a panel with a payload: text as it came, anything else as JSON."""
    text = payload if isinstance(payload, str) else json.dumps(payload, indent=2)
    return Panel(title, "admin/backoffice/panels/payload.html", {"text": text})
