extern int shared;

_Thread_local int counter = 5;
static _Thread_local int calls;

int bump(int by)
{
    counter += by;
    return ++calls;
}

int read_counter(void) { return counter; }
int read_calls(void) { return calls; }
int read_shared(void) { return shared; }
