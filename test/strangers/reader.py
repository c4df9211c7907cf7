"""Reads lists of PowerOffice Go with a client of the Python registry, and prints what it got as JSON, one line a read."""

import json
import logging
import sys
from uuid import UUID

from ds_provider_powerofficego_py_lib.dataset.powerofficego import (
    PowerOfficeGoDataset,
    PowerOfficeGoDatasetSettings,
    ReadSettings,
)
from ds_provider_powerofficego_py_lib.linked_service import (
    PowerOfficeGoLinkedService,
    PowerOfficeGoLinkedServiceSettings,
)

logging.disable(logging.CRITICAL)
ORIGIN, APPLICATION, CLIENT, SUBSCRIPTION = sys.argv[1:5]
ONE = UUID(int=1)

service = PowerOfficeGoLinkedService(
    id=ONE,
    name="reader",
    version="v1.0.0",
    settings=PowerOfficeGoLinkedServiceSettings(
        application_key=APPLICATION,
        client_id=CLIENT,
        subscription_key=SUBSCRIPTION,
        host=ORIGIN,
        token_endpoint=f"{ORIGIN}/oauth/token",
    ),
)
service.connect()

for line in sys.stdin:
    request = json.loads(line)
    dataset = PowerOfficeGoDataset(
        id=ONE,
        name="list",
        version="v1.0.0",
        linked_service=service,
        settings=PowerOfficeGoDatasetSettings(
            data_product=request["list"],
            read=ReadSettings(
                page_size=request["pageSize"], fields=request.get("fields"), filters=request.get("filters")
            ),
        ),
        checkpoint=request.get("checkpoint") or {},
    )
    dataset.read()
    rows = json.loads(dataset.output.to_json(orient="records"))
    print(json.dumps({"rows": rows, "checkpoint": dataset.checkpoint}), flush=True)
