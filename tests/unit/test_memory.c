/*
 * test_memory.c: memory as promised: the arena is within 5 % of its lower bound on every model there is here, and the weights of a model
 * are pages of its file, which all processes that run it share and none copies.
 */
#include "litec/litec.h"
#include "ops/runs.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

static uint32_t planned, above;
static double worst = 1;

static void plan(const char *name, lc_model *model) {
    lc_session *session;
    lc_error err;
    if (lc_session_create(model, NULL, &session, &err) != LC_OK) return; /* other tests say what must run */
    const lc_memory_stats s = lc_session_memory(session);
    lc_session_destroy(session);
    assert_true(s.arena >= s.arena_bound);
    planned++;
    if (s.arena_bound == 0) return;
    const double ratio = (double)s.arena / (double)s.arena_bound;
    if (ratio > worst) worst = ratio;
    if (ratio <= 1.05) return;
    above++;
    print_error("%s: arena %llu, bound %llu: %.3f\n", name, (unsigned long long)s.arena, (unsigned long long)s.arena_bound, ratio);
}

static void plan_case(const char *path, const runs_case *c) {
    lc_model *model;
    (void)path;
    if (lc_model_from_memory(c->model, c->model_size, NULL, &model, NULL) != LC_OK) return;
    plan(c->name, model);
    lc_model_destroy(model);
}

/* Every file of a folder that can be converted. */
static void plan_folder(const char *folder) {
    char path[600];
    DIR *dir = opendir(folder);
    if (!dir) fail_msg("cannot read %s", folder);
    for (struct dirent *e; (e = readdir(dir));) {
        lc_model *model;
        snprintf(path, sizeof path, "%s/%.200s", folder, e->d_name);
        if (e->d_name[0] == '.' || lc_convert(path, NULL, &model, NULL) != LC_OK) continue;
        plan(e->d_name, model);
        lc_model_destroy(model);
    }
    closedir(dir);
}

static void test_arena(void **state) {
    (void)state;
    plan_folder(LC_TEST_DIR "/../examples/models");
    plan_folder(LC_TEST_DIR "/data/tflite");
    plan_folder(LC_TEST_DIR "/data/keras");
    const uint32_t models = planned;
    runs_for_all(NULL, plan_case);
    print_message("%u models and %u single operators planned, the worst arena is %.3f of its bound\n", models, planned - models, worst);
    assert_true(models >= 10);
    assert_int_equal(above, 0);
}

/* ---- sharing ---------------------------------------------------------------------------------------------------- */

typedef struct pages { /* KB, of the mapping of one file in this process */
    unsigned long rss, pss, shared_clean, private_clean, private_dirty;
} pages;

static bool read_pages(const char *file, pages *sum) {
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[1024];
    bool inside = false, found = false;
    if (!f) return false;
    *sum = (pages){0};
    while (fgets(line, sizeof line, f)) {
        unsigned long kb;
        char key[64];
        if (sscanf(line, "%63[A-Za-z_]: %lu kB", key, &kb) != 2) {   /* "7f00-7f01 r--p ... /path" begins a mapping */
            if (line[0] != 'V') inside = strstr(line, file) != NULL; /* VmFlags ends one */
            found |= inside;
        } else if (inside) {
            if (!strcmp(key, "Rss")) sum->rss += kb;
            if (!strcmp(key, "Pss")) sum->pss += kb;
            if (!strcmp(key, "Shared_Clean")) sum->shared_clean += kb;
            if (!strcmp(key, "Private_Clean")) sum->private_clean += kb;
            if (!strcmp(key, "Private_Dirty")) sum->private_dirty += kb;
        }
    }
    fclose(f);
    return found;
}

/* Opens, runs and keeps the model; "" or what went wrong. The process ends with it. */
static const char *use(const char *path, lc_session **session) {
    static lc_error err;
    lc_model *model;
    if (lc_model_open(path, NULL, &model, &err)) return err.message;
    const lc_status status = lc_session_create(model, &(lc_session_options){.isa = "ref"}, session, &err); /* ref: nothing is packed */
    lc_model_destroy(model);
    return status || lc_session_run(*session, &err) ? err.message : "";
}

static void test_sharing(void **state) {
    (void)state;
    char path[] = "/tmp/litec_memory_XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    lc_model *model;
    lc_error err;
    uint64_t bytes;
    if (lc_convert(LC_TEST_DIR "/../examples/models/keras2_mlp.h5", NULL, &model, &err) || lc_model_save(model, path, &bytes, &err))
        fail_msg("%s", err.message);
    lc_model_destroy(model);

    int ready[2], done[2];
    assert_int_equal(pipe(ready) | pipe(done), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    lc_session *session = NULL;
    if (child == 0) { /* another process: nothing of the parent's session is in it */
        char c = use(path, &session)[0] ? 'n' : 'y';
        if (write(ready[1], &c, 1) != 1 || read(done[0], &c, 1) != 1) c = 'n';
        _exit(c == 'y' ? 0 : 1);
    }
    char answer = 'n';
    const char *why = use(path, &session);
    if (why[0]) fail_msg("%s", why);
    assert_int_equal(read(ready[0], &answer, 1), 1);
    pages p;
    const bool known = read_pages(path, &p);
    lc_session_destroy(session);
    assert_int_equal(write(done[1], &answer, 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    unlink(path);
    assert_int_equal(answer, 'y');
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (!known) {
        print_message("this system has no /proc/self/smaps: not looked at\n");
        return;
    }
    print_message("weights of %llu KB: %lu KB resident, %lu of them shared, %lu KB this process's part\n", (unsigned long long)bytes / 1024,
                  p.rss, p.shared_clean, p.pss);
    assert_true(p.rss * 1024 >= bytes * 9 / 10); /* the run has read the weights where they are */
    assert_int_equal(p.private_dirty, 0);        /* and copied none */
    assert_true(p.shared_clean >= p.rss - 64);   /* a mapping's ends may be read by one alone */
    assert_true(p.pss <= p.rss / 2 + 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_arena), cmocka_unit_test(test_sharing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
