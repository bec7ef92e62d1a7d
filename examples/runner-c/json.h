/* A reader of JSON that is as small as lossproof's messages allow. Texts are parted in the line itself. */

#ifndef JSON_H
#define JSON_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Json {
    enum { TEXT, WORD, LIST, OBJECT } kind; /* a word is a number, true, false or null */
    char *key, *text;
    struct Json *first, *next;
    size_t count;
} Json;

static void fail(const char *message) {
    fprintf(stderr, "%s\n", message);
    exit(1);
}

static void skip_spaces(char **at) {
    while (isspace((unsigned char)**at)) ++*at;
}

/* Where the next character must be this one. */
static void skip(char **at, char expected) {
    skip_spaces(at);
    if (*(*at)++ != expected) fail("the message is no JSON");
}

/* A text moves to where its first quote was, since escapes are longer than what they stand for. */
static char *read_text(char **at) {
    skip(at, '"');
    char *text = *at, *end = text;
    for (; **at != '"'; ++*at) {
        if (**at == '\0') fail("a text has no end");
        if (**at == '\\') ++*at; /* no name that this runner knows has an escape: that of others is misread */
        *end++ = **at;
    }
    ++*at;
    *end = '\0';
    return text;
}

static Json *read_json(char **at) {
    Json *json = calloc(1, sizeof *json);
    if (!json) fail("there is no memory left");
    skip_spaces(at);
    if (**at == '"') {
        json->kind = TEXT;
        json->text = read_text(at);
    } else if (**at == '[' || **at == '{') {
        json->kind = **at == '[' ? LIST : OBJECT;
        char end = *(*at)++ == '[' ? ']' : '}';
        Json **place = &json->first;
        skip_spaces(at);
        while (**at != end) {
            if (json->count++) skip(at, ',');
            skip_spaces(at);
            char *key = NULL;
            if (json->kind == OBJECT) {
                key = read_text(at);
                skip(at, ':');
            }
            *place = read_json(at);
            (*place)->key = key;
            place = &(*place)->next;
            skip_spaces(at);
        }
        ++*at;
    } else {
        json->kind = WORD;
        json->text = *at;
        if (!**at) fail("the message has no end");
        while (**at && !strchr(",]} \n", **at)) ++*at;
    }
    return json;
}

static void free_json(Json *json) {
    while (json) {
        Json *next = json->next;
        free_json(json->first);
        free(json);
        json = next;
    }
}

/* The member of this key; NULL if there is none. */
static Json *member(const Json *object, const char *key) {
    for (Json *one = object ? object->first : NULL; one; one = one->next)
        if (!strcmp(one->key, key)) return one;
    return NULL;
}

/* The text of the member that must be there. */
static const char *text_of(const Json *object, const char *key) {
    const Json *found = member(object, key);
    if (!found || !found->text) fail("the message lacks a member");
    return found->text;
}

#endif
