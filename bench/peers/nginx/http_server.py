"""nginx as one process. Prints its port, serves until it is ended. http_server [CERTIFICATE KEY]"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from settings import become, free_port, identity  # noqa: E402

port = free_port()
files = identity()
tls = f"ssl_certificate {files[0]}; ssl_certificate_key {files[1]};" if files else ""
settings = f"""
daemon off; master_process off; pid %FOLDER%/pid; error_log stderr error;
events {{ worker_connections 16384; }}
http {{
    access_log off; keepalive_requests 1000000000; default_type "text/plain"; client_max_body_size 0;
    client_body_temp_path %FOLDER%/body; proxy_temp_path %FOLDER%/proxy; fastcgi_temp_path %FOLDER%/fastcgi;
    uwsgi_temp_path %FOLDER%/uwsgi; scgi_temp_path %FOLDER%/scgi; http2_max_concurrent_streams 128;
    server {{
        listen 127.0.0.1:{port} {"ssl" if files else ""} {"http2" if "h2" in sys.argv else ""};
        {tls}
        location / {{ return 404; }}
        location = /plaintext {{ return 200 "Hello, World!"; }}
    }}
}}
"""
become(["/usr/sbin/nginx", "-c", "%FOLDER%/settings"], settings, port)
