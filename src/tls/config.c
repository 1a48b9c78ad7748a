/* Configurations: the options, checked and copied; the files they name, read on demand and again on reload. */
#include <openssl/crypto.h>
#include <string.h>
#include <weft/executor.h>
#include <weft/file.h>
#include <weft/task.h>

#include "tls/tls.h"

enum { SESSIONS_DEFAULT = 64 };

/* ---- Checking ---- */

static int check_identity(const struct wf_tls_identity *identity, bool needed)
{
    bool certificate = identity->certificate_file != NULL || identity->certificate_pem != NULL;
    bool key = identity->key_file != NULL || identity->key_pem != NULL;
    bool twice = (identity->certificate_file != NULL && identity->certificate_pem != NULL) ||
                 (identity->key_file != NULL && identity->key_pem != NULL);
    if (twice) return wf_fail(-EINVAL, "TLS: a certificate or key is given as a file and as text: which one?");
    if (certificate != key) return wf_fail(-EINVAL, "TLS: a certificate needs its key, and a key its certificate");
    if (needed && !certificate) return wf_fail(-EINVAL, "TLS: a server needs a certificate and its key");
    return 0;
}

static int check_side(const struct wf_tls_options *options, bool server)
{
    bool trusts = options->ca_file != NULL || options->ca_path != NULL || options->ca_pem != NULL;
    if (!server && (options->more_count > 0 || options->require_certificate))
        return wf_fail(-EINVAL, "TLS: .more and .require_certificate are for servers");
    if (server && options->insecure) return wf_fail(-EINVAL, "TLS: .insecure is for clients");
    if (server && options->require_certificate && !trusts)
        return wf_fail(-EINVAL, "TLS: .require_certificate needs to know whom to trust: .ca_file");
    return 0;
}

static int check(const struct wf_tls_options *options, bool server)
{
    if (options->size != sizeof *options || options->out_ == NULL) return -EINVAL;
    if (options->more_count > WF_TLS_IDENTITIES_MAX || (options->more_count > 0 && options->more == NULL))
        return wf_fail(-EINVAL, "TLS: more than %d certificates, or none given", WF_TLS_IDENTITIES_MAX);
    if ((unsigned)options->minimum > WF_TLS_1_3 || (unsigned)options->maximum > WF_TLS_1_3 ||
        (options->maximum != WF_TLS_DEFAULT && options->minimum > options->maximum))
        return wf_fail(-EINVAL, "TLS: the minimum is above the maximum, or no version");
    int rc = check_side(options, server);
    if (rc == 0) rc = check_identity(&options->identity, server);
    for (size_t i = 0; i < options->more_count && rc == 0; i++) rc = check_identity(&options->more[i], true);
    return rc;
}

static int set_protocols(struct wf_tls_config *config, const struct wf_tls_options *options)
{
    for (size_t i = 0; i < WF_TLS_ALPN_MAX && options->alpn[i] != NULL; i++) {
        size_t size = strlen(options->alpn[i]);
        if (size == 0 || size > 255) return wf_fail(-EINVAL, "TLS: a protocol (ALPN) has 1 to 255 bytes");
        config->alpn[config->alpn_size++] = (unsigned char)size;
        memcpy(config->alpn + config->alpn_size, options->alpn[i], size);
        config->alpn_size += (unsigned)size;
    }
    return 0;
}

/* ---- Copying ---- */

static bool keep_all(struct wf_arena *arena, const char **texts[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (*texts[i] == NULL) continue;
        *texts[i] = wf_arena_strdup(arena, *texts[i]);
        if (*texts[i] == NULL) return false;
    }
    return true;
}

static bool keep_identity(struct wf_arena *arena, struct wf_tls_identity *identity)
{
    const char **texts[] = {&identity->certificate_file, &identity->certificate_pem, &identity->key_file,
                            &identity->key_pem, &identity->key_password};
    return keep_all(arena, texts, WF_COUNT(texts));
}

static int keep_options(struct wf_tls_config *config, const struct wf_tls_options *options)
{
    struct wf_arena *arena = &config->arena;
    struct wf_tls_options *own = &config->options;
    *own = *options;
    const char **texts[] = {&own->ca_file, &own->ca_path,       &own->ca_pem, &own->crl_file,
                            &own->ciphers, &own->cipher_suites, &own->groups};
    bool kept = keep_all(arena, texts, WF_COUNT(texts)) && keep_identity(arena, &own->identity);
    struct wf_tls_identity *more = kept ? wf_arena_array(arena, own->more_count, sizeof *more) : NULL;
    if (more == NULL) return -ENOMEM;
    for (size_t i = 0; i < own->more_count; i++) {
        more[i] = options->more[i];
        if (!keep_identity(arena, &more[i])) return -ENOMEM;
    }
    own->more = more;
    return 0;
}

/* ---- Reading ---- */

static int read_pem(struct wf_arena *arena, const char *path, const char *text, const char *what, struct pem *pem)
{
    pem->name = path != NULL ? path : what;
    if (path != NULL) return wf_file_load(path, WF_TLS_FILE_MAX, arena, &pem->text, &pem->size);
    if (text == NULL) return 0;
    pem->size = strlen(text);
    pem->text = wf_arena_copy(arena, text, pem->size + 1);
    return pem->text != NULL ? 0 : -ENOMEM;
}

static int read_material(struct wf_arena *arena, const struct wf_tls_identity *identity, struct material *material)
{
    material->password = identity->key_password;
    int rc = read_pem(arena, identity->certificate_file, identity->certificate_pem, "the certificate",
                      &material->certificate);
    if (rc < 0) return rc;
    return read_pem(arena, identity->key_file, identity->key_pem, "the key", &material->key);
}

static int read_all(const struct wf_tls_config *config, struct wf_arena *arena, struct credentials_job *job)
{
    const struct wf_tls_options *options = &config->options;
    job->material = wf_arena_array(arena, 1 + options->more_count, sizeof *job->material);
    if (job->material == NULL) return -ENOMEM;
    int rc = read_pem(arena, options->ca_file, NULL, NULL, &job->ca[0]);
    if (rc == 0) rc = read_pem(arena, NULL, options->ca_pem, "the certificates to trust", &job->ca[1]);
    if (rc == 0) rc = read_pem(arena, options->crl_file, NULL, NULL, &job->crl);
    if (rc == 0) rc = read_material(arena, &options->identity, &job->material[0]);
    for (size_t i = 0; i < options->more_count && rc == 0; i++)
        rc = read_material(arena, &options->more[i], &job->material[i + 1]);
    return rc;
}

/* Keys do not stay in memory that is given back. */
static void forget_keys(const struct wf_tls_config *config, struct credentials_job *job)
{
    for (size_t i = 0; job->material != NULL && i <= config->options.more_count; i++) {
        struct pem *key = &job->material[i].key;
        if (key->text != NULL) OPENSSL_cleanse(key->text, key->size);
    }
}

static int load(const struct wf_tls_config *config, struct credentials **out)
{
    struct credentials_job job = {.config = config};
    struct wf_arena arena;
    wf_arena_init(&arena);
    int rc = read_all(config, &arena, &job);
    if (rc == 0) rc = wf_offload(credentials_make, &job);
    if (rc < 0 && rc == job.fault.code) fault_tell(&job.fault, NULL);
    forget_keys(config, &job);
    wf_arena_finish(&arena);
    if (rc < 0) credentials_release(job.made);
    else *out = job.made;
    return rc;
}

/* ---- Life ---- */

void config_release(struct wf_tls_config *config)
{
    if (atomic_fetch_sub(&config->references, 1) > 1) return;
    credentials_release(config->current);
    sessions_clear(&config->sessions);
    BIO_meth_free(config->bytes);
    pthread_mutex_destroy(&config->lock);
    wf_arena_finish(&config->arena);
    wf_memory_free(config);
}

struct credentials *config_credentials(struct wf_tls_config *config)
{
    pthread_mutex_lock(&config->lock);
    struct credentials *current = config->current;
    atomic_fetch_add(&current->references, 1);
    pthread_mutex_unlock(&config->lock);
    return current;
}

static struct wf_tls_config *config_new(bool server)
{
    struct wf_tls_config *config = wf_memory_alloc(sizeof *config);
    if (config == NULL) return NULL;
    memset(config, 0, sizeof *config);
    atomic_init(&config->references, 1);
    wf_arena_init(&config->arena);
    pthread_mutex_init(&config->lock, NULL);
    config->server = server;
    return config;
}

static int fill(struct wf_tls_config *config, const struct wf_tls_options *options)
{
    int rc = set_protocols(config, options);
    if (rc == 0) rc = keep_options(config, options);
    if (rc < 0) return rc;
    config->sessions.max = config->options.sessions_max > 0 ? config->options.sessions_max : SESSIONS_DEFAULT;
    config->bytes = bytes_method();
    return config->bytes != NULL ? load(config, &config->current) : -ENOMEM;
}

static int create(const struct wf_tls_options *options, bool server)
{
    int rc = wf_checkpoint();
    if (rc == 0) rc = check(options, server);
    if (rc < 0) return rc;
    struct wf_tls_config *config = config_new(server);
    if (config == NULL) return -ENOMEM;
    rc = fill(config, options);
    if (rc < 0) config_release(config);
    else *options->out_ = config;
    return rc;
}

int wf_tls_client_create_(const struct wf_tls_options *options)
{
    return create(options, false);
}

int wf_tls_server_create_(const struct wf_tls_options *options)
{
    return create(options, true);
}

void wf_tls_destroy(struct wf_tls_config *config)
{
    if (config != NULL) config_release(config);
}

int wf_tls_reload(struct wf_tls_config *config)
{
    struct credentials *made;
    int rc = wf_checkpoint();
    if (rc == 0) rc = load(config, &made);
    if (rc != 0) return rc;
    pthread_mutex_lock(&config->lock);
    struct credentials *old = config->current;
    config->current = made;
    sessions_clear(&config->sessions);
    pthread_mutex_unlock(&config->lock);
    credentials_release(old);
    return 0;
}

void wf_tls_statistics(struct wf_tls_config *config, struct wf_tls_statistics *statistics)
{
    pthread_mutex_lock(&config->lock);
    *statistics = config->statistics;
    pthread_mutex_unlock(&config->lock);
}
