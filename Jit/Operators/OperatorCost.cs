namespace WasmJit.Jit.Operators;

/// <summary>The measure of an operator's work, and so of its fuel.</summary>
internal enum CostUnit : byte
{
    /// <summary>Nothing: the row gives the number of units.</summary>
    Constant,

    /// <summary>The values that move: those of the label, of the block that ends, or of the function type.</summary>
    Values,

    /// <summary>The fields of the structure type.</summary>
    Fields,

    /// <summary>The length of the name in the code.</summary>
    Name,

    /// <summary>The topmost operand, in bytes.</summary>
    Bytes,

    /// <summary>The topmost operand, in elements.</summary>
    Items,

    /// <summary>The topmost operand, in bytes of a module.</summary>
    Code,

    /// <summary>The topmost operand, in pages of the memory, if it grows.</summary>
    Pages,

    /// <summary>The minimum of the memory or table type.</summary>
    Entity,

    /// <summary>The contents of an instance. Only the linker knows them, and charges for them.</summary>
    Link,
}

/// <summary>The trait <c>cost:</c> of an operator's row.</summary>
/// <param name="Unit">What the work depends on.</param>
/// <param name="Units">What the operator costs besides, which is all of it for <see cref="CostUnit.Constant"/>.</param>
internal readonly record struct OperatorCost(CostUnit Unit, int Units)
{
    /// <summary>Operators whose emission is a fixed sequence of instructions, or a method of numbers.</summary>
    internal static OperatorCost One { get; } = new(CostUnit.Constant, 1);

    /// <summary>Reads the text of a row: a number, the name of a unit (and one unit besides), or both with a plus between.</summary>
    internal static OperatorCost Parse(ReadOnlySpan<char> text)
    {
        int plus = text.IndexOf('+');
        bool hasUnits = int.TryParse(plus < 0 ? text : text[..plus], out int units);
        if (hasUnits && plus < 0) return new OperatorCost(CostUnit.Constant, units);
        return new OperatorCost(UnitOf(text[(plus + 1)..]), hasUnits ? units : 1);
    }

    private static CostUnit UnitOf(ReadOnlySpan<char> name) => name switch
    {
        "values" => CostUnit.Values,
        "fields" => CostUnit.Fields,
        "name" => CostUnit.Name,
        "bytes" => CostUnit.Bytes,
        "items" => CostUnit.Items,
        "code" => CostUnit.Code,
        "pages" => CostUnit.Pages,
        "entity" => CostUnit.Entity,
        "link" => CostUnit.Link,
        _ => throw new FormatException($"There is no unit '{name}' of what an operator costs."),
    };
}
