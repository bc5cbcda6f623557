/* A recursive-descent parser makes a postfix program; the program runs over blocks of rows with
 * a stack of block-sized arrays, so the cost per row is that of the arithmetic. */
#include "table/expression.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"

enum { MAX_STEPS = 192, MAX_NAMES = 32, MAX_STACK = 24, MAX_TEXT = 256, BLOCK = 1024 };

typedef enum opcode {
    OP_NUMBER,
    OP_COLUMN,
    OP_NORM,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_POW,
    OP_NEG,
    OP_NOT,
    OP_OR,
    OP_AND,
    OP_EQ,
    OP_NE,
    OP_LE,
    OP_LT,
    OP_GE,
    OP_GT,
    OP_LOG10,
    OP_LN,
    OP_EXP,
    OP_SQRT,
    OP_ABS,
    OP_MIN,
    OP_MAX,
    OP_ISFINITE
} opcode;

struct hg_expression {
    char text[MAX_TEXT];
    int n_step;
    struct {
        opcode op;
        int name;    /* OP_COLUMN, OP_NORM: index into names */
        int element; /* OP_COLUMN: k of name[k], -1 = none */
        double number;
    } step[MAX_STEPS];
    int n_name;
    char name[MAX_NAMES][HG_NAME_MAX];
};

struct parser {
    hg_expression *e;
    const char *p;
    int depth; /* of parentheses and unary signs, to bound the recursion */
};

static const struct {
    const char *name;
    opcode op;
    int n_arg;
} functions[] = {{"log10", OP_LOG10, 1}, {"ln", OP_LN, 1},     {"exp", OP_EXP, 1},
                 {"sqrt", OP_SQRT, 1},   {"abs", OP_ABS, 1},   {"min", OP_MIN, 2},
                 {"max", OP_MAX, 2},     {"norm", OP_NORM, 1}, {"isfinite", OP_ISFINITE, 1}};
enum { N_FUNCTION = sizeof functions / sizeof functions[0] };

static hg_status parse_or(struct parser *s);

static hg_status
complain(const struct parser *s, const char *what)
{
    return HG_FAIL(HG_E_PARAM, "expression '%s', column %d: %s", s->e->text,
                   (int)(s->p - s->e->text) + 1, what);
}

static void
skip(struct parser *s)
{
    while (isspace((unsigned char)*s->p)) {
        s->p++;
    }
}

static bool
accept(struct parser *s, const char *token)
{
    size_t n = strlen(token);

    skip(s);
    if (strncmp(s->p, token, n) != 0) {
        return false;
    }
    s->p += n;
    return true;
}

static hg_status
emit(struct parser *s, opcode op, int name, int element, double number)
{
    hg_expression *e = s->e;

    if (e->n_step == MAX_STEPS) {
        return complain(s, "the expression is too long");
    }
    e->step[e->n_step].op = op;
    e->step[e->n_step].name = name;
    e->step[e->n_step].element = element;
    e->step[e->n_step].number = number;
    e->n_step++;
    return HG_OK;
}

static hg_status
read_word(struct parser *s, char word[HG_NAME_MAX])
{
    size_t n = 0;

    while (isalnum((unsigned char)*s->p) || *s->p == '_') {
        if (n == HG_NAME_MAX - 1) {
            return complain(s, "this name is too long");
        }
        word[n++] = *s->p++;
    }
    word[n] = '\0';
    return HG_OK;
}

static hg_status
add_name(struct parser *s, const char *word, int *index)
{
    hg_expression *e = s->e;

    for (int i = 0; i < e->n_name; i++) {
        if (strcmp(e->name[i], word) == 0) {
            *index = i;
            return HG_OK;
        }
    }
    if (e->n_name == MAX_NAMES) {
        return complain(s, "too many columns in one expression");
    }
    strcpy(e->name[e->n_name], word);
    *index = e->n_name++;
    return HG_OK;
}

/* A number, with a unit when one follows: "1e11 Msun", "5 km/s", "2 Mpc". */
static hg_status
parse_number(struct parser *s)
{
    char *end = NULL;
    double value = strtod(s->p, &end);
    const char *q = end;
    char word[HG_NAME_MAX + 16];
    hg_unit unit;
    size_t n = 0;

    if (!isfinite(value)) {
        return complain(s, "this number is not finite");
    }
    s->p = end;
    while (*q == ' ') {
        q++;
    }
    while ((isalpha((unsigned char)q[n]) ||
            (n > 0 && q[n] == '/' && isalpha((unsigned char)q[n + 1]))) &&
           n < sizeof word - 1) {
        word[n] = q[n];
        n++;
    }
    word[n] = '\0';
    if (n > 0) {
        if (hg_unit_parse(word, &unit) != HG_OK) {
            return complain(s, hg_error_last()->message);
        }
        if (unit.h != 0 || unit.a != 0) {
            return complain(s, "a unit with h or a is not allowed in an expression");
        }
        value *= unit.factor;
        s->p = q + n;
    }
    return emit(s, OP_NUMBER, 0, -1, value);
}

static hg_status
parse_call(struct parser *s, const char *word)
{
    for (int i = 0; i < N_FUNCTION; i++) {
        if (strcmp(functions[i].name, word) != 0) {
            continue;
        }
        if (functions[i].op == OP_NORM) {
            char column[HG_NAME_MAX];
            int index = 0;

            skip(s);
            HG_TRY(read_word(s, column));
            if (column[0] == '\0' || !accept(s, ")")) {
                return complain(s, "norm() takes the name of one vector column");
            }
            HG_TRY(add_name(s, column, &index));
            return emit(s, OP_NORM, index, -1, 0);
        }
        for (int k = 0; k < functions[i].n_arg; k++) {
            if (k > 0 && !accept(s, ",")) {
                return complain(s, "',' and a second argument are expected");
            }
            HG_TRY(parse_or(s));
        }
        if (!accept(s, ")")) {
            return complain(s, "')' is expected");
        }
        return emit(s, functions[i].op, 0, -1, 0);
    }
    return complain(s, "unknown function: log10 ln exp sqrt abs min max norm isfinite exist");
}

static hg_status
parse_primary(struct parser *s)
{
    char word[HG_NAME_MAX];
    int index = 0, element = -1;

    skip(s);
    if (accept(s, "(")) {
        if (++s->depth > 32) {
            return complain(s, "too many parentheses");
        }
        HG_TRY(parse_or(s));
        s->depth--;
        return accept(s, ")") ? HG_OK : complain(s, "')' is expected");
    }
    if (isdigit((unsigned char)*s->p) || *s->p == '.') {
        return parse_number(s);
    }
    if (!isalpha((unsigned char)*s->p) && *s->p != '_') {
        return complain(s, *s->p == '\0' ? "the expression ends too early"
                                         : "a number, a column or '(' is expected");
    }
    HG_TRY(read_word(s, word));
    if (accept(s, "(")) {
        if (++s->depth > 32) {
            return complain(s, "too many parentheses");
        }
        HG_TRY(parse_call(s, word));
        s->depth--;
        return HG_OK;
    }
    if (accept(s, "[")) {
        char *end = NULL;

        element = (int)strtol(s->p, &end, 10);
        if (end == s->p || element < 0 || element > 63) {
            return complain(s, "an index from 0 is expected in '[]'");
        }
        s->p = end;
        if (!accept(s, "]")) {
            return complain(s, "']' is expected");
        }
    }
    HG_TRY(add_name(s, word, &index));
    return emit(s, OP_COLUMN, index, element, 0);
}

static hg_status
parse_unary(struct parser *s)
{
    opcode sign = OP_NUMBER;

    skip(s);
    if (*s->p == '-' || (*s->p == '!' && s->p[1] != '=')) {
        sign = *s->p == '-' ? OP_NEG : OP_NOT;
        s->p++;
        if (++s->depth > 32) {
            return complain(s, "too many signs");
        }
        HG_TRY(parse_unary(s));
        s->depth--;
        return emit(s, sign, 0, -1, 0);
    }
    HG_TRY(parse_primary(s));
    if (accept(s, "^")) {
        if (++s->depth > 32) {
            return complain(s, "too many powers");
        }
        HG_TRY(parse_unary(s));
        s->depth--;
        return emit(s, OP_POW, 0, -1, 0);
    }
    return HG_OK;
}

/* One level of left-associative operators: a table instead of six functions. */
static const struct level {
    struct {
        const char *token;
        opcode op;
    } entry[6];
} levels[] = {
    {{{"||", OP_OR}}},
    {{{"&&", OP_AND}}},
    {{{"==", OP_EQ}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"<", OP_LT}, {">", OP_GT}}},
    {{{"+", OP_ADD}, {"-", OP_SUB}}},
    {{{"*", OP_MUL}, {"/", OP_DIV}}},
};
enum { N_LEVEL = sizeof levels / sizeof levels[0] };

static hg_status
parse_level(struct parser *s, int level)
{
    if (level == N_LEVEL) {
        return parse_unary(s);
    }
    HG_TRY(parse_level(s, level + 1));
    for (;;) {
        int found = -1;

        for (int i = 0; i < 6 && levels[level].entry[i].token != NULL && found < 0; i++) {
            if (accept(s, levels[level].entry[i].token)) {
                found = i;
            }
        }
        if (found < 0) {
            return HG_OK;
        }
        HG_TRY(parse_level(s, level + 1));
        HG_TRY(emit(s, levels[level].entry[found].op, 0, -1, 0));
    }
}

static hg_status
parse_or(struct parser *s)
{
    return parse_level(s, 0);
}

hg_status
hg_expression_create(const char *text, hg_expression **expression)
{
    struct parser s;
    hg_status status;

    *expression = NULL;
    if (strlen(text) >= MAX_TEXT) {
        return HG_FAIL(HG_E_PARAM, "expression '%.40s...' is longer than %d characters", text,
                       MAX_TEXT - 1);
    }
    HG_TRY(hg_mem_zeros(&s.e, 1, sizeof *s.e));
    strcpy(s.e->text, text);
    s.p = s.e->text;
    s.depth = 0;
    status = parse_or(&s);
    skip(&s);
    if (status == HG_OK && *s.p != '\0') {
        status = complain(&s, "this is left over");
    }
    if (status != HG_OK) {
        hg_mem_free(s.e);
        return status;
    }
    *expression = s.e;
    return HG_OK;
}

void
hg_expression_free(hg_expression *expression)
{
    hg_mem_free(expression);
}

int
hg_expression_n_name(const hg_expression *expression)
{
    return expression->n_name;
}

const char *
hg_expression_name(const hg_expression *expression, int i)
{
    return expression->name[i];
}

const char *
hg_expression_column(const hg_expression *expression)
{
    const bool plain = expression->n_step == 1 && (expression->step[0].op == OP_COLUMN ||
                                                   expression->step[0].op == OP_NORM);

    return plain ? expression->name[expression->step[0].name] : NULL;
}

static bool
is_true(double x)
{
    return x != 0 && !isnan(x);
}

static double
binary(opcode op, double a, double b)
{
    switch (op) {
    case OP_ADD:
        return a + b;
    case OP_SUB:
        return a - b;
    case OP_MUL:
        return a * b;
    case OP_DIV:
        return a / b;
    case OP_POW:
        return pow(a, b);
    case OP_OR:
        return is_true(a) || is_true(b);
    case OP_AND:
        return is_true(a) && is_true(b);
    case OP_EQ:
        return a == b;
    case OP_NE:
        return a != b;
    case OP_LE:
        return a <= b;
    case OP_LT:
        return a < b;
    case OP_GE:
        return a >= b;
    case OP_GT:
        return a > b;
    case OP_MIN:
        return fmin(a, b);
    default:
        return fmax(a, b);
    }
}

static double
unary(opcode op, double a)
{
    switch (op) {
    case OP_NEG:
        return -a;
    case OP_NOT:
        return a == 0;
    case OP_LOG10:
        return log10(a);
    case OP_LN:
        return log(a);
    case OP_EXP:
        return exp(a);
    case OP_SQRT:
        return sqrt(a);
    case OP_ISFINITE:
        return isfinite(a) != 0;
    default:
        return fabs(a);
    }
}

static bool
is_unary(opcode op)
{
    return op == OP_NEG || op == OP_NOT || op == OP_LOG10 || op == OP_LN || op == OP_EXP ||
           op == OP_SQRT || op == OP_ABS || op == OP_ISFINITE;
}

static double
column_norm(const hg_column *column, int64_t i)
{
    double sum = 0;

    for (int k = 0; k < column->width; k++) {
        double x = hg_column_value(column, i, k);

        sum += x * x;
    }
    return sqrt(sum);
}

static void
run_block(const hg_expression *e, const hg_column *const column[], int64_t first, int n,
          double (*stack)[BLOCK])
{
    int top = 0;

    for (int i = 0; i < e->n_step; i++) {
        const opcode op = e->step[i].op;
        const hg_column *c = column[e->step[i].name];
        const int k = e->step[i].element > 0 ? e->step[i].element : 0;

        if (op == OP_NUMBER || op == OP_COLUMN || op == OP_NORM) {
            for (int j = 0; j < n; j++) {
                stack[top][j] = op == OP_NUMBER   ? e->step[i].number
                                : op == OP_COLUMN ? hg_column_value(c, first + j, k)
                                                  : column_norm(c, first + j);
            }
            top++;
        } else if (is_unary(op)) {
            for (int j = 0; j < n; j++) {
                stack[top - 1][j] = unary(op, stack[top - 1][j]);
            }
        } else {
            top--;
            for (int j = 0; j < n; j++) {
                stack[top - 1][j] = binary(op, stack[top - 1][j], stack[top][j]);
            }
        }
    }
}

static hg_status
bind_columns(const hg_expression *e, const hg_table *table, const hg_column *column[MAX_NAMES])
{
    int top = 0;

    for (int i = 0; i < e->n_name; i++) {
        HG_TRY(hg_table_need(table, e->name[i], &column[i]));
    }
    for (int i = 0; i < e->n_step; i++) {
        const hg_column *c = column[e->step[i].name];

        if (e->step[i].op == OP_COLUMN) {
            if (e->step[i].element < 0 && c->width > 1) {
                return HG_FAIL(HG_E_SHAPE,
                               "column '%s' has %d elements a row: write %s[k] or norm(%s)",
                               c->name, c->width, c->name, c->name);
            }
            if (e->step[i].element >= c->width) {
                return HG_FAIL(HG_E_SHAPE, "column '%s' has no element %d", c->name,
                               e->step[i].element);
            }
        }
        if (e->step[i].op <= OP_NORM) {
            if (++top > MAX_STACK) {
                return HG_FAIL(HG_E_PARAM, "expression '%s' is nested too deeply", e->text);
            }
        } else if (!is_unary(e->step[i].op)) {
            top--;
        }
    }
    return HG_OK;
}

hg_status
hg_expression_evaluate(const hg_expression *expression, const hg_table *table, double value[])
{
    const hg_column *column[MAX_NAMES] = {NULL};
    double(*stack)[BLOCK] = NULL;

    HG_TRY(bind_columns(expression, table, column));
    HG_TRY(hg_mem_array(&stack, MAX_STACK, sizeof *stack));
    for (int64_t first = 0; first < table->n; first += BLOCK) {
        int n = table->n - first < BLOCK ? (int)(table->n - first) : BLOCK;

        run_block(expression, column, first, n, stack);
        memcpy(value + first, stack[0], (size_t)n * sizeof *value);
    }
    hg_mem_free(stack);
    return HG_OK;
}
