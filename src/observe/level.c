/* Which lines are written: settings by module, and the modules that asked so far, which know their level by heart. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/loop.h"
#include "observe/log.h"

enum { NAME_SIZE = 32, SETTINGS_MAX = 64 };

struct setting {
    char name[NAME_SIZE];
    enum wf_log_level level;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct setting settings[SETTINGS_MAX];
static size_t setting_count;
static enum wf_log_level default_level = WF_INFO;
static struct wf_log_module *modules;

/* ---- Modules ---- */

static bool ends_a_source(const char *dot)
{
    static const char *const endings[] = {".c", ".cc", ".cpp", ".cxx"};
    for (size_t i = 0; dot != NULL && i < WF_COUNT(endings); i++)
        if (strcmp(dot, endings[i]) == 0) return true;
    return false;
}

const char *module_name(const struct wf_log_module *module, size_t *size)
{
    const char *name = module->name_, *dot = strrchr(name, '.');
    if (!ends_a_source(dot)) {
        *size = strlen(name);
        return name;
    }
    const char *slash = strrchr(name, '/');
    if (slash != NULL) name = slash + 1;
    *size = (size_t)(dot - name);
    return name;
}

static struct setting *find_setting(const char *name, size_t size)
{
    for (size_t i = 0; i < setting_count; i++)
        if (strlen(settings[i].name) == size && memcmp(settings[i].name, name, size) == 0) return &settings[i];
    return NULL;
}

static void look_up(struct wf_log_module *module)
{
    size_t size;
    const char *name = module_name(module, &size);
    const struct setting *setting = find_setting(name, size);
    int level = setting != NULL ? (int)setting->level : (int)default_level;
    __atomic_store_n(&module->level_, level, __ATOMIC_RELAXED);
}

static void look_up_all(void)
{
    for (struct wf_log_module *module = modules; module != NULL; module = module->next_) look_up(module);
}

/* ---- Settings ---- */

static int set(const char *name, size_t size, enum wf_log_level level)
{
    struct setting *setting = find_setting(name, size);
    if (setting == NULL) {
        if (setting_count == SETTINGS_MAX) return -ENOSPC;
        setting = &settings[setting_count++];
        memcpy(setting->name, name, size);
        setting->name[size] = '\0';
    }
    setting->level = level;
    return 0;
}

static bool is_level(int level)
{
    return level >= WF_DEBUG && level <= WF_OFF;
}

/* 0: it is none. */
static enum wf_log_level level_named(const char *name, size_t size)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "off"};
    for (size_t i = 0; i < WF_COUNT(names); i++)
        if (strlen(names[i]) == size && strncmp(names[i], name, size) == 0) return (enum wf_log_level)(i + 1);
    return (enum wf_log_level)0;
}

/* "info", or "orders=debug". */
static bool read_one(const char *text, size_t size)
{
    const char *equals = memchr(text, '=', size);
    size_t name_size = equals != NULL ? (size_t)(equals - text) : 0;
    const char *level_text = equals != NULL ? equals + 1 : text;
    enum wf_log_level level = level_named(level_text, (size_t)(text + size - level_text));
    if (!is_level((int)level) || name_size >= NAME_SIZE || equals == text) return false;
    if (equals != NULL) return set(text, name_size, level) == 0;
    default_level = level;
    return true;
}

static bool read_all(const char *text)
{
    bool understood = true;
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        if (size > 0 && !read_one(text, size)) understood = false;
        text += size + (text[size] == ',');
    }
    return understood;
}

static bool read_environment(void)
{
    const char *text = getenv("WEFT_LOG");
    return text == NULL || read_all(text);
}

/* A child must not inherit a lock that is held by a thread which it has not. */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void begin(void)
{
    pthread_atfork(before_fork, after_fork, after_fork);
    if (!read_environment())
        wf_report("WEFT_LOG=%s is not understood. Write levels (debug, info, warn, error, off), for all and by module: "
                  "WEFT_LOG=warn,orders=debug",
                  getenv("WEFT_LOG"));
}

bool levels_read(const char *text)
{
    pthread_once(&once, begin);
    pthread_mutex_lock(&lock);
    bool understood = read_all(text);
    look_up_all();
    pthread_mutex_unlock(&lock);
    return understood;
}

void levels_reset(void)
{
    pthread_once(&once, begin);
    pthread_mutex_lock(&lock);
    setting_count = 0;
    default_level = WF_INFO;
    read_environment();
    look_up_all();
    pthread_mutex_unlock(&lock);
}

int wf_log_resolve_(struct wf_log_module *module)
{
    pthread_once(&once, begin);
    pthread_mutex_lock(&lock);
    if (__atomic_load_n(&module->level_, __ATOMIC_RELAXED) == 0) {
        module->next_ = modules;
        modules = module;
        look_up(module);
    }
    pthread_mutex_unlock(&lock);
    return __atomic_load_n(&module->level_, __ATOMIC_RELAXED);
}

int wf_log_set_level(const char *module, enum wf_log_level level)
{
    size_t size = module != NULL ? strlen(module) : 0;
    if (!is_level((int)level) || (module != NULL && size == 0) || size >= NAME_SIZE) return -EINVAL;
    pthread_once(&once, begin);
    pthread_mutex_lock(&lock);
    int rc = 0;
    if (module != NULL) rc = set(module, size, level);
    else default_level = level;
    look_up_all();
    pthread_mutex_unlock(&lock);
    if (current_loop != NULL) loop_watch_tasks(current_loop);
    return rc;
}
