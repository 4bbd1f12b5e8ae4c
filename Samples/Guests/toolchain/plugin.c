/* A library. It has data, calls the program, and is called by it. */
double scale(double value);

static const double coefficients[] = {1, -2, 0.5};
static int calls;

const char *name(void) { return "1 - 2x + x*x/2, in percent"; }

double value(double x) {
  calls++;
  double sum = 0;
  for (int i = 2; i >= 0; i--) sum = sum * x + coefficients[i];
  return scale(sum);
}
