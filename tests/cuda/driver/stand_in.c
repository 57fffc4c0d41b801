/* A stand-in for the NVIDIA driver: what the project asks it before it computes, and nothing else.

   STAND_IN_GPUS   how many GPUs the machine has, up to 9
   STAND_IN_BOX    8 hexadecimal digits that begin their UUIDs: machines of tests are not one
   STAND_IN_SPLIT  if set, they are instances of split GPUs (MIG), of which a process sees one
   STAND_IN_FAULT  if set, what cuInit returns; "crash": it ends the process

   Like the real one it reads CUDA_VISIBLE_DEVICES in cuInit, and never again. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int shown[9], number = -1;

static void uuid_text(int gpu, char *text)
{
    sprintf(text, "%s-0000-4000-8000-00000000000%d", getenv("STAND_IN_BOX"), gpu);
}

static int gpu_named(const char *word, int gpus)
{
    const char *prefix = getenv("STAND_IN_SPLIT") ? "MIG-" : "GPU-";
    char uuid[64], *end;
    long index = strtol(word, &end, 10);
    if (end != word && !*end)
        return 0 <= index && index < gpus ? (int)index : -1;
    if (strncmp(word, prefix, 4) || !word[4])
        return -1;
    for (int gpu = 0; gpu < gpus; gpu++) {
        uuid_text(gpu, uuid);
        if (!strncmp(uuid, word + 4, strlen(word + 4)))
            return gpu;
    }
    return -1;
}

int cuInit(unsigned flags)
{
    const char *listed = getenv("CUDA_VISIBLE_DEVICES"), *fault = getenv("STAND_IN_FAULT");
    int gpus = atoi(getenv("STAND_IN_GPUS"));
    if (fault && !strcmp(fault, "crash"))
        raise(SIGKILL);
    if (fault)
        return atoi(fault);
    if (number >= 0)
        return 0;
    number = 0;
    if (!listed) {
        for (; number < gpus; number++)
            shown[number] = number;
    } else {
        char *words = strdup(listed);
        for (char *word = strtok(words, " ,"); word; word = strtok(NULL, " ,")) {
            int gpu = gpu_named(word, gpus);
            if (gpu < 0) /* what comes after a wrong word is not shown either */
                break;
            shown[number++] = gpu;
        }
        free(words);
    }
    if (getenv("STAND_IN_SPLIT") && number > 1)
        number = 1;
    return number ? 0 : 100; /* CUDA_ERROR_NO_DEVICE */
}

int cuDeviceGetCount(int *count)
{
    *count = number;
    return 0;
}

int cuDeviceGet(int *device, int ordinal)
{
    *device = shown[ordinal];
    return 0;
}

int cuDeviceGetUuid_v2(unsigned char *uuid, int device)
{
    char text[64];
    uuid_text(device, text);
    for (int byte = 0, k = 0; byte < 16; k += 2) {
        unsigned value;
        if (text[k] == '-')
            k++;
        sscanf(text + k, "%2x", &value);
        uuid[byte++] = (unsigned char)value;
    }
    return 0;
}

int cuDeviceGetName(char *name, int length, int device)
{
    snprintf(name, length, "Stand-in %d", device);
    return 0;
}
