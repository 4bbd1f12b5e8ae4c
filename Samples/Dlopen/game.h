/* What the program and its two libraries know of each other. */
typedef int (*callback)(int);

/* The program. */
extern int score;
int twice(int value);
void say(const char *who, const char *what, int value);

/* libping.so */
extern const char *ping_name;
int ping(int depth, callback each);
callback ping_callback(void);

/* libpong.so */
extern const char *pong_name;
extern int pong_count;
int pong(int depth, callback each);
