/* A runner in C: it answers each line of stdin with a line on stdout. strtod and %a know lossproof's numbers. */

#define _POSIX_C_SOURCE 200809L /* getline */
#include "json.h"

#include <math.h>

static const char ANNOUNCEMENT[] =
    "{\"name\": \"losses-in-c\", \"version\": \"1.0\", \"language\": \"C\","
    " \"dtypes\": [\"float64\", \"float32\"],"
    " \"losses\": {\"MSELoss\": {\"parameters\": [\"reduction\"]},"
    " \"L1Loss\": {\"parameters\": [\"reduction\"]},"
    " \"HuberLoss\": {\"parameters\": [\"reduction\", \"delta\"]}},"
    " \"lacks\": [\"broadcast\", \"integers\", \"mixed_dtypes\", \"complex\"]}";

typedef struct {
    const Json *shape;
    size_t size;
    double *data;
} Tensor;

static Tensor read_tensor(const Json *json) {
    const Json *data = member(json, "data");
    Tensor tensor = {member(json, "shape"), data->count, malloc((data->count + 1) * sizeof(double))};
    if (!tensor.data) fail("there is no memory left");
    size_t i = 0;
    for (const Json *number = data->first; number; number = number->next)
        tensor.data[i++] = strtod(number->text, NULL);
    return tensor;
}

static int has_shape_of(const Tensor *one, const Tensor *other) {
    const Json *a = one->shape->first, *b = other->shape->first;
    for (; a && b; a = a->next, b = b->next)
        if (atol(a->text) != atol(b->text)) return 0;
    return !a && !b;
}

/* C computes in double, and rounds to float32 only here: that is better than arithmetic in float. */
static void print_tensor(const char *dtype, const Json *shape, const double *data, size_t size) {
    int is_single = !strcmp(dtype, "float32");
    printf("{\"dtype\": \"%s\", \"shape\": [", dtype);
    for (const Json *one = shape ? shape->first : NULL; one; one = one->next)
        printf("%ld%s", atol(one->text), one->next ? ", " : "");
    printf("], \"data\": [");
    for (size_t i = 0; i < size; ++i)
        printf("%s\"%a\"", i ? ", " : "", is_single ? (double)(float)data[i] : data[i]);
    printf("]}");
}

/* The loss of a difference, and its derivative. */
typedef struct {
    double loss, slope;
} Point;

static double sign(double d) { return isnan(d) ? d : (d > 0) - (d < 0); }

static Point squared(double d) { return (Point){d * d, 2 * d}; }

static Point absolute(double d) { return (Point){fabs(d), sign(d)}; }

static Point huber(double d, double delta) {
    return fabs(d) <= delta ? (Point){d * d / 2, d} : (Point){delta * (fabs(d) - delta / 2), delta * sign(d)};
}

static void compute(const Json *message, const char *loss, const Tensor *input, const Tensor *target) {
    const Json *parameters = member(message, "parameters");
    const char *reduction = text_of(parameters, "reduction"), *dtype = text_of(message, "dtype");
    double delta = !strcmp(loss, "HuberLoss") ? strtod(text_of(parameters, "delta"), NULL) : 0;
    const char *refusal = NULL;
    if (!has_shape_of(input, target)) refusal = "input and target have different shapes";
    if (!strcmp(loss, "HuberLoss") && !(delta > 0)) refusal = "delta must be positive";
    if (strcmp(reduction, "none") && strcmp(reduction, "mean") && strcmp(reduction, "sum"))
        refusal = "the reduction is none, mean or sum";
    if (refusal) {
        printf("\"refused\": \"%s\"", refusal);
        return;
    }
    size_t size = input->size;
    double *losses = malloc((size + 1) * sizeof(double)), *slopes = malloc((size + 1) * sizeof(double));
    if (!losses || !slopes) fail("there is no memory left");
    for (size_t i = 0; i < size; ++i) {
        double d = input->data[i] - target->data[i];
        Point point = !strcmp(loss, "MSELoss") ? squared(d) : !strcmp(loss, "L1Loss") ? absolute(d) : huber(d, delta);
        losses[i] = point.loss;
        slopes[i] = point.slope;
    }
    double total = 0, divisor = !strcmp(reduction, "mean") ? (double)size : 1;
    for (size_t i = 0; i < size; ++i) total += losses[i];
    total /= divisor;
    int is_reduced = strcmp(reduction, "none") != 0;
    printf("\"value\": ");
    print_tensor(dtype, is_reduced ? NULL : input->shape, is_reduced ? &total : losses, is_reduced ? 1 : size);

    const Json *wrt = member(message, "wrt");
    if (wrt) {
        Tensor upstream = read_tensor(member(message, "upstream"));
        printf(", \"gradients\": {");
        for (const Json *name = wrt->first; name; name = name->next) {
            double direction = !strcmp(name->text, "input") ? 1 : -1;
            for (size_t i = 0; i < size; ++i)
                losses[i] = direction * slopes[i] * (upstream.data[is_reduced ? 0 : i] / divisor);
            printf("\"%s\": ", name->text);
            print_tensor(dtype, input->shape, losses, size);
            if (name->next) printf(", ");
        }
        printf("}");
        free(upstream.data);
    }
    free(losses);
    free(slopes);
}

int main(void) {
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        char *at = line;
        Json *message = read_json(&at);
        const char *command = text_of(message, "cmd");
        if (!strcmp(command, "stop")) return 0;
        if (!strcmp(command, "start")) {
            puts(ANNOUNCEMENT);
        } else {
            const Json *arguments = member(message, "arguments");
            Tensor input = read_tensor(member(arguments, "input")), target = read_tensor(member(arguments, "target"));
            printf("{\"seq\": %ld, ", atol(text_of(message, "seq")));
            compute(message, text_of(message, "loss"), &input, &target);
            puts("}");
            free(input.data);
            free(target.data);
        }
        fflush(stdout); /* or the answer waits in a buffer, and lossproof for the answer */
        free_json(message);
    }
    return 0;
}
