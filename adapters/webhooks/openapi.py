"""
The ``webhooks`` section of the OpenAPI document: one entry for every topic of the catalogue.

The setting names ``adapters.webhooks.openapi.<topic, with underscores>``; each such name is
made from the catalogue when it is asked for.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiRequest,
    OpenApiResponse,
    OpenApiWebhook,
    extend_schema,
)

from adapters.webhooks.topics import TOPICS, Topic, attribute_of

#: What ``data`` is, by the beginning of the topic: a component that the API shows as well.
COMPONENTS: Mapping[str, str] = {
    "bonus.grant.": "BonusGrant",
    "bonus.campaign.": "Campaign",
    "promo.claim.": "UserPromo",
    "jackpot.pot.": "Win",
    "jackpot.win.": "Win",
}

_SIGNED = (
    "\n\nSent by POST to the endpoints that ask for it, signed by Standard Webhooks: the headers "
    "`webhook-id`, `webhook-timestamp` and `webhook-signature`. It may come more than once, with "
    "the same `webhook-id`, and in any order. Answer 2xx within ten seconds."
)
_EXAMPLE_INSTANT = "2026-03-01T12:00:00Z"


def __getattr__(name: str) -> OpenApiWebhook:
    topic = next((each for each in TOPICS.values() if attribute_of(each.name) == name), None)
    if topic is None:
        raise AttributeError(name)
    return _webhook(topic)


def _webhook(topic: Topic) -> OpenApiWebhook:
    example = {"type": topic.name, "timestamp": _EXAMPLE_INSTANT, "data": dict(topic.example)}
    return OpenApiWebhook(
        name=topic.name,
        decorator=extend_schema(
            summary=topic.title,
            description=topic.description + _SIGNED,
            tags=["webhooks"],
            request={
                "application/json": OpenApiRequest(
                    _schema(topic),
                    examples=[OpenApiExample(topic.title, value=example)],
                )
            },
            responses={
                "2XX": OpenApiResponse(description="Taken: it is not sent again."),
                "410": OpenApiResponse(description="Gone: the endpoint is switched off."),
            },
        ),
    )


def _schema(topic: Topic) -> dict[str, Any]:
    component = next(
        (name for start, name in COMPONENTS.items() if topic.name.startswith(start)), None
    )
    shape = {"$ref": f"#/components/schemas/{component}"} if component else {"type": "object"}
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "enum": [topic.name]},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened.",
            },
            "data": shape,
        },
    }
