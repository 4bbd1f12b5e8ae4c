using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;

namespace WasmJit;

/// <summary>Adds modules to the services that <c>AddWasmJit</c> has added.</summary>
public sealed class WasmJitBuilder
{
    internal WasmJitBuilder(IServiceCollection services) => Services = services;

    /// <summary>The services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Adds a module. <see cref="WasmModules"/> gives it, and a pool of its instances.</summary>
    /// <param name="name">Its name among the modules. A section of the same name may configure it, too.</param>
    /// <param name="configure">Says what it is.</param>
    public WasmJitBuilder AddModule(string name, Action<WasmModuleOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(configure);
        Services.Configure<WasmJitOptions>(options =>
        {
            if (!options.Modules.TryGetValue(name, out WasmModuleOptions? module)) options.Modules[name] = module = new WasmModuleOptions();
            configure(module);
        });
        return this;
    }

    /// <summary>
    /// Adds a module and its typed face as a service of each scope: a service that asks for the interface in a scope (a request, in ASP.NET) gets an
    /// instance for that scope alone. It comes from the module's pool, and goes back when the scope ends.
    /// </summary>
    /// <typeparam name="T">The interface; see <see cref="Instance.As{T}"/>.</typeparam>
    /// <param name="name">The name among the modules.</param>
    /// <param name="configure">Says what it is; null if it is configured elsewhere.</param>
    public WasmJitBuilder AddModule<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] T>(string name, Action<WasmModuleOptions>? configure = null)
        where T : class
    {
        AddModule(name, configure ?? (_ => { }));
        Services.AddScoped(provider => provider.GetRequiredService<ScopedInstances>().Of(name).As<T>());
        return this;
    }
}
