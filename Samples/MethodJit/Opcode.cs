namespace Sprig;

/// <summary>The instructions of the machine, in the order of its tables (machine.wat).</summary>
internal enum Opcode
{
    Const, Get, Set, Add, Sub, Mul, Div, Rem, And, Or, Xor, Shl, Shr, Eq, Ne, Lt, Le, Gt, Ge,
    Load, Store, If, Else, End, Loop, While, Again, Call, Return, Drop, Print,
}
