/* model/pmml/xml.c -- from bytes to a compact tree of elements.
 *
 * libxml2 reads, we keep: 32 bytes an element, 8 an attribute, and the texts,
 * which is 3 to 4 times the file where a DOM is 10 or more.  Names are matched
 * without their namespace, because exporters disagree on it.  What no reader
 * asks for (headers, statistics, verification rows, extensions) is passed
 * over.
 *
 * The file is not trusted: a document type declaration ends the reading, so
 * there are no entities but the five of XML; nothing is fetched; elements nest
 * at most PMML_MAX_DEPTH deep.  Under these rules libxml2's own limits on
 * sizes can be lifted.  Its messages become ours and are never printed.
 */
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/SAX2.h>
#include <libxml/xmlerror.h>

#include "model/pmml/pmml.h"

enum { PMML_MAX_DEPTH = 1000, N_CACHED = 1024 };

#define ASCI_PMML_TEXT(name) #name,
static const char *const known_name[] = {
    "", ASCI_PMML_NAMES(ASCI_PMML_TEXT)
};

struct builder {
    struct pmml *p;
    xmlParserCtxtPtr context;
    struct pmml_map names;      /* all names seen so far */
    struct {                    /* libxml2 holds a name once: by address */
        const xmlChar *name;
        uint32_t id;
    } cached[N_CACHED];
    uint32_t open[PMML_MAX_DEPTH + 1];  /* elements from the root down */
    uint32_t last[PMML_MAX_DEPTH + 1];  /* their last child so far */
    unsigned depth;
    unsigned passing;           /* depth of an element that is passed over */
    size_t pending;             /* text of the innermost begins here */
    int has_text;
    int status;
};

const char *
asci_pmml_name(const struct pmml *p, uint32_t element)
{
    const uint32_t name = p->doc.element[element].name;

    return name < PMML_N_NAMES ? known_name[name]
                               : p->doc.other[name - PMML_N_NAMES];
}

/* ---- building ---- */

static void
stop(struct builder *b, int status)
{
    if (b->status == ASC_OK)
        b->status = status;
    xmlStopParser(b->context);
}

static int
line_of(const struct builder *b)
{
    return xmlSAX2GetLineNumber(b->context);
}

/* Adds a text with its NUL, or only its bytes. */
static int
add_text(struct builder *b, const xmlChar *text, size_t n, int end)
{
    struct pmml_document *d = &b->p->doc;

    if (n > UINT32_MAX / 2 || d->n_text + n + 1 >= UINT32_MAX)
        return asc_fail(b->p->e, ASC_EINPUT, "%s: the texts of the model are "
                        "larger than 4 GiB", b->p->path);
    while (d->room_text < d->n_text + n + 1)
        if (asci_pmml_grow(&d->text, d->room_text, &d->room_text, 1,
                           b->p->e) != ASC_OK)
            return ASC_ESYSTEM;
    memcpy(d->text + d->n_text, text, n);
    d->n_text += n;
    if (end)
        d->text[d->n_text++] = '\0';
    return ASC_OK;
}

/* The number of a name; unknown ones are added if `add`, else PMML_NONE. */
static int
name_id(struct builder *b, const xmlChar *name, int add, uint32_t *id)
{
    struct pmml_document *d = &b->p->doc;
    const size_t slot = ((uintptr_t)name >> 3) % N_CACHED;
    const char *text = (const char *)name;
    char *copy;
    int status;

    if (b->cached[slot].name == name) {
        *id = b->cached[slot].id;
        return ASC_OK;
    }
    if (!asci_pmml_map_find(&b->names, text, id)) {
        *id = PMML_NONE;
        if (!add)
            return ASC_OK;
        if (d->n_other >= UINT32_MAX - PMML_N_NAMES)
            return asc_fail(b->p->e, ASC_EINPUT, "%s: too many names of "
                            "elements", b->p->path);
        if ((status = asci_pmml_grow(&d->other, d->n_other, &d->room_other,
                                     sizeof *d->other, b->p->e)))
            return status;
        if (!(copy = asci_copy_text(text, strlen(text), b->p->e)))
            return ASC_ESYSTEM;
        d->other[d->n_other++] = copy;
        *id = (uint32_t)(PMML_N_NAMES + d->n_other - 1);
        if ((status = asci_pmml_map_add(&b->names, copy, *id, b->p->e)))
            return status;
    }
    b->cached[slot].name = name;
    b->cached[slot].id = *id;
    return ASC_OK;
}

static int
is_passed_over(uint32_t id, const xmlChar *name)
{
    switch (id) {
    case PMML_Extension:
    case PMML_Header:
    case PMML_MiningBuildTask:
    case PMML_ModelExplanation:
    case PMML_ModelStats:
    case PMML_ModelVerification:
        return 1;
    default:
        return name[0] == 'X' && name[1] == '-';
    }
}

/* attribute: local name, prefix, URI, begin, end of the value */
static int
add_attributes(struct builder *b, struct pmml_element *t, int n,
               const xmlChar **attribute)
{
    struct pmml_document *d = &b->p->doc;
    uint32_t id;
    int i, status;

    for (i = 0; i < n; i++, attribute += 5) {
        if (attribute[1])
            continue;
        if ((status = name_id(b, attribute[0], 0, &id)))
            return status;
        if (id == PMML_NONE || id >= PMML_N_NAMES)
            continue;
        if (d->n_attributes >= UINT32_MAX - 1)
            return asc_fail(b->p->e, ASC_EINPUT, "%s: too many attributes",
                            b->p->path);
        if ((status = asci_pmml_grow(&d->attribute, d->n_attributes,
                                     &d->room_attributes,
                                     sizeof *d->attribute, b->p->e)))
            return status;
        d->attribute[d->n_attributes].name = id;
        d->attribute[d->n_attributes].value = (uint32_t)d->n_text;
        if ((status = add_text(b, attribute[3],
                               (size_t)(attribute[4] - attribute[3]), 1)))
            return status;
        d->n_attributes++;
        t->n_attributes++;
    }
    return ASC_OK;
}

static int
add_element(struct builder *b, uint32_t id, int n, const xmlChar **attribute)
{
    struct pmml_document *d = &b->p->doc;
    struct pmml_element t = { 0 };
    const uint32_t self = (uint32_t)d->n_elements;
    const uint32_t parent = b->open[b->depth - 1];
    int status;

    if (d->n_elements >= UINT32_MAX - 1)
        return asc_fail(b->p->e, ASC_EINPUT, "%s: too many elements",
                        b->p->path);
    if ((status = asci_pmml_grow(&d->element, d->n_elements,
                                 &d->room_elements, sizeof *d->element,
                                 b->p->e)))
        return status;
    t.name = id;
    t.line = (uint32_t)line_of(b);
    t.parent = parent;
    t.attribute = (uint32_t)d->n_attributes;
    if ((status = add_attributes(b, &t, n, attribute)))
        return status;
    d->element[d->n_elements++] = t;
    if (parent) {
        if (b->last[b->depth - 1])
            d->element[b->last[b->depth - 1]].next = self;
        else
            d->element[parent].child = self;
        b->last[b->depth - 1] = self;
    }
    b->open[b->depth] = self;
    b->last[b->depth] = 0;
    return ASC_OK;
}

static void
on_start(void *data, const xmlChar *name, const xmlChar *prefix,
         const xmlChar *uri, int n_namespaces, const xmlChar **namespaces,
         int n, int n_defaulted, const xmlChar **attribute)
{
    struct builder *b = data;
    uint32_t id;
    int status;

    (void)prefix;
    (void)uri;
    (void)n_namespaces;
    (void)namespaces;
    (void)n_defaulted;
    if (b->status != ASC_OK)
        return;
    if (++b->depth > PMML_MAX_DEPTH) {
        stop(b, asc_fail(b->p->e, ASC_EINPUT, "%s:%d: elements nest more than "
                         "%d deep", b->p->path, line_of(b), PMML_MAX_DEPTH));
        return;
    }
    if (b->passing)
        return;
    if ((status = name_id(b, name, 1, &id))) {
        stop(b, status);
        return;
    }
    if (is_passed_over(id, name)) {
        b->passing = b->depth;
        return;
    }
    b->p->doc.n_text = b->pending;
    if ((status = add_element(b, id, n, attribute))) {
        stop(b, status);
        return;
    }
    b->pending = b->p->doc.n_text;
    b->has_text = 0;
}

static void
on_text(void *data, const xmlChar *text, int n)
{
    struct builder *b = data;
    int i, status;

    if (b->status != ASC_OK || b->passing || b->depth == 0 || n < 0 ||
        b->p->doc.element[b->open[b->depth]].child)
        return;
    for (i = 0; i < n && !b->has_text; i++)
        b->has_text = !strchr(" \t\r\n", text[i]);
    if (!b->has_text && b->p->doc.n_text == b->pending)
        return;
    if ((status = add_text(b, text, (size_t)n, 0)))
        stop(b, status);
}

static void
on_end(void *data, const xmlChar *name, const xmlChar *prefix,
       const xmlChar *uri)
{
    struct builder *b = data;
    struct pmml_document *d = &b->p->doc;
    int status;

    (void)name;
    (void)prefix;
    (void)uri;
    if (b->status != ASC_OK || b->depth == 0)
        return;
    if (b->passing) {
        if (b->passing == b->depth)
            b->passing = 0;
    } else if (!d->element[b->open[b->depth]].child && b->has_text) {
        d->element[b->open[b->depth]].text = (uint32_t)b->pending;
        if ((status = add_text(b, (const xmlChar *)"", 0, 1))) {
            stop(b, status);
            return;
        }
        b->pending = d->n_text;
        b->has_text = 0;
    }
    b->depth--;
}

static void
on_doctype(void *data, const xmlChar *name, const xmlChar *public_id,
           const xmlChar *system_id)
{
    struct builder *b = data;

    (void)name;
    (void)public_id;
    (void)system_id;
    if (b->status == ASC_OK)
        stop(b, asc_fail(b->p->e, ASC_EINPUT, "%s:%d: document type "
                         "declarations are refused", b->p->path,
                         line_of(b)));
}

/* Of what libxml2 has to say the first fatal message is ours. */
static void
on_error(void *data, xmlErrorPtr error)
{
    struct builder *b = data;
    const char *text = error && error->message ? error->message
                                               : "unknown error";
    int n = (int)strcspn(text, "\n");

    if (!error || b->status != ASC_OK)
        return;
    if (error->code == XML_ERR_NO_MEMORY)
        b->status = asc_fail(b->p->e, ASC_ESYSTEM, "out of memory");
    else if (error->level == XML_ERR_FATAL && b->context)
        b->status = asc_fail(b->p->e, ASC_EINPUT, "%s:%d: not well-formed "
                             "XML: %.*s", b->p->path,
                             error->line > 0 ? error->line : line_of(b), n,
                             text);
}

static int
know_names(struct builder *b)
{
    uint32_t i;
    int status;

    for (i = 1; i < PMML_N_NAMES; i++)
        if ((status = asci_pmml_map_add(&b->names, known_name[i], i,
                                        b->p->e)))
            return status;
    return asci_pmml_map_add(&b->names, "x-mathContext", PMML_mathContext,
                             b->p->e);
}

/* Texts and elements begin at 1, so that 0 can stand for none. */
static int
begin(struct builder *b)
{
    struct pmml_document *d = &b->p->doc;
    int status;

    if ((status = know_names(b)) ||
        (status = add_text(b, (const xmlChar *)"", 0, 1)))
        return status;
    b->pending = d->n_text;
    if ((status = asci_pmml_grow(&d->element, 0, &d->room_elements,
                                 sizeof *d->element, b->p->e)))
        return status;
    memset(&d->element[0], 0, sizeof d->element[0]);
    d->n_elements = 1;
    return ASC_OK;
}

static int
run(struct builder *b, const char *bytes, size_t n)
{
    xmlSAXHandler handler;
    xmlParserCtxtPtr context;
    /* Errors of the input's encoding, and want of memory for the context, do
     * not know the context; the handler of this thread takes them, or they
     * would be printed, and the former one is put back. */
    xmlStructuredErrorFunc former = xmlStructuredError;
    void *former_data = xmlStructuredErrorContext;

    xmlSetStructuredErrorFunc(b, on_error);
    context = xmlCreateMemoryParserCtxt(bytes, (int)n);
    if (!context) {
        xmlSetStructuredErrorFunc(former_data, former);
        return asc_fail(b->p->e, ASC_ESYSTEM, "out of memory");
    }
    b->context = context;
    xmlCtxtUseOptions(context, XML_PARSE_NONET | XML_PARSE_NOENT |
                               XML_PARSE_HUGE | XML_PARSE_BIG_LINES);
    memset(&handler, 0, sizeof handler);
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = on_start;
    handler.endElementNs = on_end;
    handler.characters = on_text;
    handler.ignorableWhitespace = on_text;
    handler.cdataBlock = on_text;
    handler.internalSubset = on_doctype;
    handler.serror = on_error;
    *context->sax = handler;
    context->userData = b;
    xmlParseDocument(context);
    xmlSetStructuredErrorFunc(former_data, former);
    if (b->status == ASC_OK && !context->wellFormed)
        b->status = asc_fail(b->p->e, ASC_EINPUT, "%s:%d: not well-formed "
                             "XML", b->p->path, line_of(b));
    if (context->myDoc)
        xmlFreeDoc(context->myDoc);
    context->myDoc = NULL;
    xmlFreeParserCtxt(context);
    return b->status;
}

int
asci_pmml_parse(struct pmml *p, const char *bytes, size_t n)
{
    struct builder *b;
    int status;

    if (n > INT_MAX)
        return asc_fail(p->e, ASC_EINPUT, "%s: the model is larger than "
                        "2 GiB", p->path);
    if (n == 0)
        return asc_fail(p->e, ASC_EINPUT, "%s: the file is empty, not a "
                        "model", p->path);
    b = asci_alloc_zero(1, sizeof *b, p->e);
    if (!b)
        return ASC_ESYSTEM;
    b->p = p;
    status = begin(b);
    if (status == ASC_OK)
        status = run(b, bytes, n);
    asci_pmml_map_free(&b->names);
    free(b);
    return status;
}

void
asci_pmml_document_free(struct pmml_document *d)
{
    size_t i;

    for (i = 0; i < d->n_other; i++)
        free(d->other[i]);
    free(d->other);
    free(d->element);
    free(d->attribute);
    free(d->text);
    memset(d, 0, sizeof *d);
}

/* ---- asking ---- */

int
asci_pmml_fail(const struct pmml *p, uint32_t element, const char *format,
               ...)
{
    char text[1024];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return asc_fail(p->e, ASC_EINPUT, "%s:%lu: %s", p->path,
                    (unsigned long)p->doc.element[element].line, text);
}

int
asci_pmml_unsupported(const struct pmml *p, uint32_t element,
                      const char *where, const char *list)
{
    return asci_pmml_fail(p, element, "element %s is not supported "
                          "(supported in %s: %s)",
                          asci_pmml_name(p, element), where, list);
}

const char *
asci_pmml_attribute(const struct pmml *p, uint32_t element,
                    enum pmml_name name)
{
    const struct pmml_element *t = &p->doc.element[element];
    uint32_t i;

    for (i = t->attribute; i < t->attribute + t->n_attributes; i++)
        if (p->doc.attribute[i].name == name)
            return p->doc.text + p->doc.attribute[i].value;
    return NULL;
}

int
asci_pmml_required(const struct pmml *p, uint32_t element,
                   enum pmml_name name, const char **text)
{
    *text = asci_pmml_attribute(p, element, name);
    if (!*text)
        return asci_pmml_fail(p, element, "%s: attribute %s is missing",
                              asci_pmml_name(p, element), known_name[name]);
    return ASC_OK;
}

int
asci_pmml_is_number(const char *text, double *v)
{
    size_t n;

    while (*text && strchr(" \t\r\n", *text))
        text++;
    for (n = strlen(text); n > 0 && strchr(" \t\r\n", text[n - 1]); n--)
        ;
    if (asc_number_parse(text, n, v))
        return 1;
    if ((n == 3 && !memcmp(text, "INF", 3)) ||
        (n == 8 && !memcmp(text, "Infinity", 8))) {
        *v = INFINITY;
        return 1;
    }
    if ((n == 4 && !memcmp(text, "-INF", 4)) ||
        (n == 9 && !memcmp(text, "-Infinity", 9))) {
        *v = -INFINITY;
        return 1;
    }
    return 0;
}

int
asci_pmml_to_number(const struct pmml *p, uint32_t element,
                    enum pmml_name name, const char *text, double *v)
{
    if (!asci_pmml_is_number(text, v))
        return asci_pmml_fail(p, element, "%s: attribute %s: \"%s\" is not a "
                              "number", asci_pmml_name(p, element),
                              known_name[name], text);
    return ASC_OK;
}

static int
finite_number(const struct pmml *p, uint32_t element, enum pmml_name name,
       const char *text, double *v)
{
    int status = asci_pmml_to_number(p, element, name, text, v);

    if (status == ASC_OK && !isfinite(*v))
        return asci_pmml_fail(p, element, "%s: attribute %s: \"%s\" is not a "
                              "finite number", asci_pmml_name(p, element),
                              known_name[name], text);
    return status;
}

int
asci_pmml_number(const struct pmml *p, uint32_t element, enum pmml_name name,
                 double *v)
{
    const char *text;
    int status = asci_pmml_required(p, element, name, &text);

    return status ? status : finite_number(p, element, name, text, v);
}

int
asci_pmml_number_or(const struct pmml *p, uint32_t element,
                    enum pmml_name name, double otherwise, double *v)
{
    const char *text = asci_pmml_attribute(p, element, name);

    *v = otherwise;
    return text ? finite_number(p, element, name, text, v) : ASC_OK;
}

int
asci_pmml_count(const struct pmml *p, uint32_t element, enum pmml_name name,
                size_t n)
{
    double declared;
    int status = asci_pmml_number_or(p, element, name, (double)n, &declared);

    if (status == ASC_OK && declared != (double)n)
        return asci_pmml_fail(p, element, "%s: %s says %s, there %s %zu",
                              asci_pmml_name(p, element), known_name[name],
                              asci_pmml_attribute(p, element, name),
                              n == 1 ? "is" : "are", n);
    return status;
}

int
asci_pmml_choice(const struct pmml *p, uint32_t element, enum pmml_name name,
                 const char *const *choices, int otherwise, int *v)
{
    const char *text = asci_pmml_attribute(p, element, name);
    char list[512] = "";
    int i;

    *v = otherwise;
    if (!text)
        return ASC_OK;
    for (i = 0; choices[i]; i++)
        if (!strcmp(choices[i], text)) {
            *v = i;
            return ASC_OK;
        }
    for (i = 0; choices[i]; i++) {
        size_t used = strlen(list);

        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                 choices[i]);
    }
    return asci_pmml_fail(p, element, "%s: %s \"%s\" is not supported "
                          "(supported: %s)", asci_pmml_name(p, element),
                          known_name[name], text, list);
}

uint32_t
asci_pmml_child(const struct pmml *p, uint32_t element, enum pmml_name name)
{
    uint32_t t = p->doc.element[element].child;

    while (t && p->doc.element[t].name != name)
        t = p->doc.element[t].next;
    return t;
}

/* ---- arrays: texts between blanks, or in quotes with \" and \\ ---- */

static int
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes one text off *in, unquoted into *out.  1, 0 at the end, -1 if a quote
 * is not closed. */
static int
next_text(const char **in, char **out)
{
    const char *s = *in;
    char *t = *out;

    while (is_blank(*s))
        s++;
    if (!*s)
        return 0;
    if (*s == '"') {
        for (s++; *s && *s != '"'; s++) {
            if (*s == '\\' && (s[1] == '"' || s[1] == '\\'))
                s++;
            *t++ = *s;
        }
        if (*s++ != '"')
            return -1;
    } else {
        while (*s && !is_blank(*s))
            *t++ = *s++;
    }
    *t++ = '\0';
    *in = s;
    *out = t;
    return 1;
}

int
asci_pmml_array(struct pmml *p, uint32_t element, const char ***text,
                size_t *n)
{
    const uint32_t offset = p->doc.element[element].text;
    const char *in = offset ? p->doc.text + offset : "";
    const size_t length = strlen(in);
    char *out = asci_pmml_keep(p, length + 1, 1), *start = out;
    double declared;
    int more, status;
    size_t i = 0;

    /* A text and the blank after it take two bytes at least. */
    *text = asci_pmml_keep(p, length / 2 + 1, sizeof **text);
    if (!out || !*text)
        return ASC_ESYSTEM;
    while ((more = next_text(&in, &out)) == 1) {
        (*text)[i++] = start;
        start = out;
    }
    *n = i;
    if (more < 0)
        return asci_pmml_fail(p, element, "Array: a quote is not closed");
    if ((status = asci_pmml_number_or(p, element, PMML_n, (double)i,
                                      &declared)))
        return status;
    if (declared != (double)i)
        return asci_pmml_fail(p, element, "Array: there are %zu values, n "
                              "says %s", i,
                              asci_pmml_attribute(p, element, PMML_n));
    return ASC_OK;
}
