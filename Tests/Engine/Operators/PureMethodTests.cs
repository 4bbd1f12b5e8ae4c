using System.Reflection;
using System.Runtime.Intrinsics;
using System.Text;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// What the guards of loads take for needed of the operands of each method that operators call. The traits follow from names; a helper that is new or
/// renamed changes the file, so that a person checks them.
/// </summary>
public sealed class PureMethodTests
{
    private const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    [Fact]
    public void TraitsAreThoseThatSomebodyHasLookedAt()
    {
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        foreach (Type helpers in new[] { typeof(Simd), typeof(Floats), typeof(Integers), typeof(Conversions), typeof(RotationFault) })
            foreach (MethodInfo method in helpers.GetMethods(Static)) Add(method);
        HashSet<string> named = [.. OperatorTable.All.Where(op => op.Emission.StartsWith("vec:", StringComparison.Ordinal))
            .SelectMany(op => op.Emission["vec:".Length..].Split(',')).Select(part => part.Split(':')[0])];
        foreach (MethodInfo method in typeof(Vector128).GetMethods(Static))
            if (named.Contains(method.Name)) Add(method);
        var text = new StringBuilder();
        foreach (string line in lines) text.Append(line).Append('\n');
        Golden.Equal("pure-methods.txt", text.ToString());

        void Add(MethodInfo method)
        {
            // What the compiler makes for lambdas and local functions has no name of its own.
            if (!method.Name.Contains('<', StringComparison.Ordinal) && PureMethod.Of(method) is { } pure)
                lines.Add($"{method.DeclaringType!.Name}.{method.Name} of {pure.Operands}: {pure.Traits}");
        }
    }

    [Fact]
    public void WhatDoesMoreThanComputeIsNotPure()
    {
        Assert.Null(PureMethod.Of(typeof(Simd).GetMethod(nameof(Simd.Whole), Static)!));
        Assert.Null(PureMethod.Of(typeof(string).GetMethod(nameof(string.IsNullOrEmpty))!));
    }
}
