/* What program and libraries share: classes whose type information must be one for all. */
#pragma once

struct Error {
    int value;
    explicit Error(int v) : value(v) {}
    virtual ~Error();
    virtual const char *what() const;
};

struct Precise : Error {
    explicit Precise(int v) : Error(v) {}
    const char *what() const override;
};

/* Everything is inline: each library has type information of its own. */
template <class T> struct Box {
    T value;
    virtual ~Box() {}
};

extern "C" {
int thrower(int kind);
int catcher(int (*function)(int), int argument);
}
