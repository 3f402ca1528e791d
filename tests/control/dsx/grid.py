"""The grid's side of DSX Flex for tests: keys, events, targets."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import JWSRegistry

SITE = "dakhla-1"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
DOWN_TO_28_MW = {"load": {"value": 28, "unit": "megawatt"}}


@dataclass
class Grid:
    """A grid operator with a key of its own."""

    key: ECKey
    kid: str = "grid-1"

    @classmethod
    def new(cls, kid: str = "grid-1") -> "Grid":
        return cls(ECKey.generate_key("P-256", parameters={"kid": kid}), kid)

    def jwks(self, path: Path, *, private: bool = False) -> Path:
        path.write_text(json.dumps(KeySet([self.key]).as_dict(private=private)))
        return path

    def sealed(self, payload: Mapping[str, Any], alg: str = "ES256", **header: Any) -> str:
        text = json.dumps(payload).encode()
        head = {"alg": alg, "kid": self.kid, **header}
        return jws.serialize_compact(
            head, text, self.key, registry=JWSRegistry(algorithms=[alg], strict_check_header=False)
        )

    def event(self, payload: Mapping[str, Any] = DOWN_TO_28_MW, **changes: Any) -> bytes:
        document = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "type": "grid.loadtarget.set.v1",
            "source": f"//grid/v1/isv/{SITE}",
            "subject": "loadtarget",
            "time": NOW.isoformat(),
            "datacontenttype": "application/jose",
            "traceparent": TRACE,
            "correlationid": str(uuid.uuid4()),
            "data": self.sealed(payload),
        }
        return json.dumps(document | changes).encode()
