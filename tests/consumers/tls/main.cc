// TLS in C++: options as a struct.
#include <cstdio>
#include <weft/tls.h>
#include <weft/weft.h>

static int refuse(void *)
{
    wf_tls_options options = {};
    options.ca_file = "/nowhere/ca.pem";
    wf_tls_config *config = nullptr;
    int rc = wf_tls_client_create(&config, options);
    std::printf("%s\n", wf_failure());
    return rc == -ENOENT && wf_tls_server_create(&config) == -EINVAL ? 0 : -EPROTO;
}

int main()
{
    return wf_main(refuse, static_cast<void *>(nullptr));
}
