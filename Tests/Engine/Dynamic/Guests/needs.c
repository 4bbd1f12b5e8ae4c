/* Finds what it needs below its own directory. */
extern int answer(void);
extern int shared;

int twice_the_answer(void) { return shared + 2 * answer(); }
