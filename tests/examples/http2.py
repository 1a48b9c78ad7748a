"""A server against python3-h2 and httpx: http2.py PORT TLS-PORT CERTIFICATE"""
import socket
import ssl
import sys

import h2.connection
import h2.events
import httpx


def read_until(conn, sock, wanted, most=200):
    """All events up to one of that kind."""
    events = []
    for _ in range(most):
        data = sock.recv(65536)
        if not data:
            break
        events += conn.receive_data(data)
        sock.sendall(conn.data_to_send())
        if any(isinstance(event, wanted) for event in events):
            return events
    raise AssertionError(f"no {wanted.__name__} in {events}")


def opened(port):
    sock = socket.create_connection(("127.0.0.1", port), timeout=20)
    conn = h2.connection.H2Connection()
    conn.initiate_connection()
    sock.sendall(conn.data_to_send())
    return conn, sock


def fields(method, path):
    return [(":method", method), (":path", path), (":scheme", "http"), (":authority", "a")]


def many_streams(port):
    conn, sock = opened(port)
    for stream in range(1, 101, 2):
        conn.send_headers(stream, fields("GET", "/"), end_stream=True)
    sock.sendall(conn.data_to_send())
    ended = set()
    while len(ended) < 50:
        for event in read_until(conn, sock, h2.events.StreamEnded):
            if isinstance(event, h2.events.StreamEnded):
                ended.add(event.stream_id)
    conn.close_connection()
    sock.sendall(conn.data_to_send())
    assert ended == set(range(1, 101, 2))


def a_body_larger_than_the_window(port):
    conn, sock = opened(port)
    conn.send_headers(1, fields("POST", "/"))
    sock.sendall(conn.data_to_send())
    events = []
    while not any(isinstance(event, h2.events.StreamReset) for event in events):
        while conn.local_flow_control_window(1) > 0:
            conn.send_data(1, b"a" * min(conn.local_flow_control_window(1), conn.max_outbound_frame_size))
        sock.sendall(conn.data_to_send())
        events += conn.receive_data(sock.recv(65536))
    reset = [event for event in events if isinstance(event, h2.events.StreamReset)]
    assert reset[0].error_code == 0, "it has answered, and wants no more of the body"
    assert any(isinstance(event, h2.events.ResponseReceived) for event in events)


def a_broken_frame(port):
    conn, sock = opened(port)
    sock.sendall(bytes.fromhex("00000008" + "00" + "00000000"))  # WINDOW_UPDATE without its number
    events = read_until(conn, sock, h2.events.ConnectionTerminated)
    ended = [event for event in events if isinstance(event, h2.events.ConnectionTerminated)]
    assert ended[0].error_code == 6, ended
    while sock.recv(65536):  # and then the connection ends
        pass


def by_httpx(port, tls_port, certificate):
    with httpx.Client(http1=False, http2=True) as client:
        answers = [client.get(f"http://127.0.0.1:{port}/{i}") for i in range(20)]
    assert all(answer.http_version == "HTTP/2" and answer.text == "Hello, World!" for answer in answers)
    with httpx.Client(http2=True, verify=ssl.create_default_context(cafile=certificate)) as client:
        answer = client.post(f"https://localhost:{tls_port}/", content=b"a" * 1000)
    assert answer.http_version == "HTTP/2" and answer.status_code == 200


plain, tls, cert = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
many_streams(plain)
a_body_larger_than_the_window(plain)
a_broken_frame(plain)
by_httpx(plain, tls, cert)
print("as it should be")
