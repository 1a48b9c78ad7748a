"""An application for uvicorn."""

LARGE = b"0123456789abcdef" * 65536


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    path, status, pieces = scope["path"], 200, []
    if path == "/text":
        pieces = [b"hello"]
    elif path == "/large":
        pieces = [LARGE]
    elif path == "/chunks":
        pieces = [b"x" * 1000] * 100
    elif path == "/echo":
        message = await receive()
        pieces = [message["body"]]
        while message.get("more_body"):
            message = await receive()
            pieces.append(message["body"])
    else:
        status = 404
    await send({"type": "http.response.start", "status": status, "headers": []})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
