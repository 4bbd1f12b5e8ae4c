namespace Twig;

/// <summary>An account, to show what scripts can do with a .NET object, and what they cannot.</summary>
/// <param name="owner">Who owns it.</param>
public sealed class Account(string owner)
{
    /// <summary>Who owns it.</summary>
    public string Owner { get; set; } = owner;

    /// <summary>What is on it.</summary>
    public decimal Balance { get; private set; }

    /// <summary>What scripts are not told about.</summary>
    public string Secret => "1234";

    /// <summary>Called with the new balance.</summary>
    public Action<decimal>? Changed { get; set; }

    /// <summary>Puts money on it.</summary>
    public decimal Deposit(decimal amount)
    {
        if (amount <= 0) throw new ArgumentOutOfRangeException(nameof(amount), amount, "Only more than nothing can be deposited.");
        Balance += amount;
        Changed?.Invoke(Balance);
        return Balance;
    }

    /// <inheritdoc/>
    public override string ToString() => $"account of {Owner}";
}

/// <summary>What the programs of this sample find.</summary>
public static class Library
{
    /// <summary>An engine with it.</summary>
    /// <param name="output">Where <c>print</c> writes.</param>
    /// <param name="jit">Whether hot functions are compiled.</param>
    public static ScriptEngine NewEngine(TextWriter output, bool jit = true)
    {
        var engine = new ScriptEngine(jit ? 300 : 0);
        engine.Define("print", (Action<object?>)(value => output.WriteLine(ScriptValues.Display(value))));
        engine.Define("account", (Func<string, Account>)(owner => new Account(owner)));
        engine.Define("sort", (Func<object?[], Func<object?, object?, bool>, object?[]>)Sort);
        engine.Grant<Account>("Owner", "Balance", "Deposit", "Changed");
        return engine;
    }

    /// <summary>A .NET function that calls a function of the script for each comparison.</summary>
    private static object?[] Sort(object?[] items, Func<object?, object?, bool> isBefore)
    {
        var sorted = items.ToList();
        sorted.Sort((a, b) => isBefore(a, b) ? -1 : isBefore(b, a) ? 1 : 0);
        return [.. sorted];
    }
}
