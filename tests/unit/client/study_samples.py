"""A small study and looks at what a fake Tapis was sent of it."""

import base64

CASES = {"k": [10, 20, 30], "damping": [0.02, 0.05]}
SCRIPT = "echo {{ k }} {{ damping }}"


def made(tapis, name="fragility", cases=CASES, **given):
    return tapis.study(name, "bash", cases=cases, **{"script": SCRIPT, "maxMinutes": 10, **given})


def scripts(fake):
    return [
        base64.b64decode(request["fileInputs"][0]["sourceUrl"].partition(",")[2]).decode()
        for request in fake.requests.values()
    ]


def posted(fake, what="cases"):
    return [body for name, body in fake.studies.sent if name == what]
