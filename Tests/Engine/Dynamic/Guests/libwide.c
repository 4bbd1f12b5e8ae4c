extern int base;
int calls;
static long slow(int argument) { return base + argument; }
static long (*volatile chosen)(int) = slow;

long add_base(int argument)
{
    calls++;
    return chosen(argument);
}
