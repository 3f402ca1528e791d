/* A stand-in for NVIDIA's management library at its C interface: what igoudar's cap agent calls, and no more.
 *
 * The GPUs are lines of a text file (IGOUDAR_NVML_STANDIN), read at every call and written at every set, so that
 * a test can look at them, reset them as a reboot does, or change how they behave:
 *
 *     driver ok|gone
 *     uuid name default_mw min_mw max_mw limit_mw usage_mw ok|refuse|ignore|lost
 *
 * Source of names, types and codes: nvml.h as nvidia-ml-py binds it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUCCESS 0
#define UNINITIALIZED 1
#define INVALID_ARGUMENT 2
#define NO_PERMISSION 4
#define INSUFFICIENT_SIZE 7
#define DRIVER_NOT_LOADED 9
#define GPU_IS_LOST 15
#define MOST 16

struct gpu {
    char uuid[96], name[96], mode[16];
    unsigned int standard, low, high, limit, usage;
};

static struct gpu gpus[MOST];
static unsigned int count;
static char driver[16];
static int started;

static int load(void)
{
    const char *path = getenv("IGOUDAR_NVML_STANDIN");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        return DRIVER_NOT_LOADED;
    count = 0;
    if (fscanf(file, "driver %15s", driver) != 1)
        strcpy(driver, "gone");
    while (count < MOST) {
        struct gpu *g = &gpus[count];
        if (fscanf(file, "%95s %95s %u %u %u %u %u %15s", g->uuid, g->name, &g->standard, &g->low, &g->high,
                   &g->limit, &g->usage, g->mode) != 8)
            break;
        count++;
    }
    fclose(file);
    return strcmp(driver, "ok") == 0 ? SUCCESS : DRIVER_NOT_LOADED;
}

static void save(void)
{
    char part[4096];
    const char *path = getenv("IGOUDAR_NVML_STANDIN");
    snprintf(part, sizeof part, "%s.part", path);
    FILE *file = fopen(part, "w");
    if (!file)
        return;
    fprintf(file, "driver %s\n", driver);
    for (unsigned int i = 0; i < count; i++) {
        struct gpu *g = &gpus[i];
        fprintf(file, "%s %s %u %u %u %u %u %s\n", g->uuid, g->name, g->standard, g->low, g->high, g->limit,
                g->usage, g->mode);
    }
    fclose(file);
    rename(part, path);
}

/* A handle is the address of the GPU's entry, as opaque to the caller as NVIDIA's. */
static int found(void *device, struct gpu **out)
{
    if (!started)
        return UNINITIALIZED;
    int code = load();
    if (code != SUCCESS)
        return code;
    for (unsigned int i = 0; i < count; i++)
        if (device == &gpus[i]) {
            *out = &gpus[i];
            return strcmp(gpus[i].mode, "lost") == 0 ? GPU_IS_LOST : SUCCESS;
        }
    return INVALID_ARGUMENT;
}

static int copy(const char *text, char *to, unsigned int size)
{
    if (strlen(text) + 1 > size)
        return INSUFFICIENT_SIZE;
    strcpy(to, text);
    return SUCCESS;
}

int nvmlInitWithFlags(unsigned int flags)
{
    (void)flags;
    int code = load();
    started = code == SUCCESS;
    return code;
}

int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

int nvmlShutdown(void)
{
    if (!started)
        return UNINITIALIZED;
    started = 0;
    return SUCCESS;
}

const char *nvmlErrorString(int code)
{
    switch (code) {
    case SUCCESS: return "Success";
    case UNINITIALIZED: return "Uninitialized";
    case NO_PERMISSION: return "Insufficient Permissions";
    case DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case GPU_IS_LOST: return "GPU is lost";
    default: return "Unknown Error";
    }
}

int nvmlSystemGetDriverVersion(char *to, unsigned int size)
{
    return started ? copy("570.86.15-standin", to, size) : UNINITIALIZED;
}

int nvmlDeviceGetCount_v2(unsigned int *to)
{
    if (!started)
        return UNINITIALIZED;
    int code = load();
    *to = count;
    return code;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **to)
{
    if (!started)
        return UNINITIALIZED;
    int code = load();
    if (code == SUCCESS && index >= count)
        return INVALID_ARGUMENT;
    *to = &gpus[index];
    return code;
}

int nvmlDeviceGetUUID(void *device, char *to, unsigned int size)
{
    struct gpu *g;
    int code = found(device, &g);
    return code == SUCCESS ? copy(g->uuid, to, size) : code;
}

int nvmlDeviceGetName(void *device, char *to, unsigned int size)
{
    struct gpu *g;
    int code = found(device, &g);
    return code == SUCCESS ? copy(g->name, to, size) : code;
}

#define READ(function, field)                                                                                     \
    int function(void *device, unsigned int *to)                                                                  \
    {                                                                                                             \
        struct gpu *g;                                                                                            \
        int code = found(device, &g);                                                                             \
        if (code == SUCCESS)                                                                                      \
            *to = g->field;                                                                                       \
        return code;                                                                                              \
    }

READ(nvmlDeviceGetPowerManagementLimit, limit)
READ(nvmlDeviceGetPowerManagementDefaultLimit, standard)
READ(nvmlDeviceGetPowerUsage, usage)

int nvmlDeviceGetPowerManagementLimitConstraints(void *device, unsigned int *low, unsigned int *high)
{
    struct gpu *g;
    int code = found(device, &g);
    if (code == SUCCESS) {
        *low = g->low;
        *high = g->high;
    }
    return code;
}

int nvmlDeviceSetPowerManagementLimit(void *device, unsigned int limit)
{
    struct gpu *g;
    int code = found(device, &g);
    if (code != SUCCESS)
        return code;
    if (strcmp(g->mode, "refuse") == 0)
        return NO_PERMISSION;
    if (limit < g->low || limit > g->high)
        return INVALID_ARGUMENT;
    if (strcmp(g->mode, "ignore") != 0) {
        g->limit = limit;
        save();
    }
    return SUCCESS;
}
